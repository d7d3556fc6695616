import type { NextApiRequest, NextApiResponse } from "next";
import { execSync } from "child_process";

export default function handler(req: NextApiRequest, res: NextApiResponse) {
  const { name } = req.query;
  const output = execSync(`figlet ${name}`); // bad: command
  res.status(200).json({ output });
}
