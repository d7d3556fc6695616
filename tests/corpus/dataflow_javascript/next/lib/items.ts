import { Pool } from "pg";

const pool = new Pool();

export const find = async (name: string | null) => pool.query("SELECT * FROM items WHERE name = '" + name + "'"); // bad: sql
