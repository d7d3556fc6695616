import React from "react";
import { useSearchParams } from "react-router-dom";
import DOMPurify from "dompurify";

export function Page({ body }: { body: string }) {
  const [params] = useSearchParams();
  const text = params.get("text") as string;
  const [kept, setKept] = React.useState(text);
  const clean = DOMPurify.sanitize(text);
  return (
    <div>
      <p>{text}</p>
      <p dangerouslySetInnerHTML={{ __html: text }} /> // bad: xss
      <p dangerouslySetInnerHTML={{ __html: kept }} /> // bad: xss
      <p dangerouslySetInnerHTML={{ __html: clean }} />
      <p dangerouslySetInnerHTML={{ __html: body }} />
    </div>
  );
}
