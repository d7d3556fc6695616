import { NextResponse } from "next/server";
import { find } from "@next/items";

export async function GET(request: Request, { params }: { params: { id: string } }) {
  const name = new URL(request.url).searchParams.get("name");
  const items = await find(name);
  return NextResponse.json(items);
}

export async function POST(request: Request) {
  const { target } = await request.json();
  await fetch(target); // bad: ssrf
  return NextResponse.redirect(target); // bad: redirect
}
