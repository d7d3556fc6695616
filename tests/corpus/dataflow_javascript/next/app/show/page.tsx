export default async function Page({ searchParams }: { searchParams: { text: string } }) {
  return (
    <div>
      <p>{searchParams.text}</p>
      <div dangerouslySetInnerHTML={{ __html: searchParams.text }} /> // bad: xss
    </div>
  );
}
