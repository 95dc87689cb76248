// The page's own pictures, drawn here so that they look the same on every machine.

const PATHS = {
  bell: "M8 1.8v1.4M8 3.2c-2.6 0-4 1.8-4 4.2 0 2.6-.9 3.4-1.6 4.1h11.2C12.9 10.8 12 10 12 7.4c0-2.4-1.4-4.2-4-4.2ZM6.6 13.4c.3.6.8.9 1.4.9s1.1-.3 1.4-.9",
  bolt: "M9.2 1.5 3.4 9h4l-.8 5.5L12.6 7h-4z",
  bubble: "M2.2 3.2h11.6v7.6H8l-3.4 2.8v-2.8H2.2z",
  eye: "M1.3 8S3.7 3.6 8 3.6 14.7 8 14.7 8 12.3 12.4 8 12.4 1.3 8 1.3 8ZM8 10a2 2 0 1 0 0-4 2 2 0 0 0 0 4Z",
  flask: "M5.8 1.8h4.4M6.6 1.8v4.4L2.9 12.6c-.5.9.1 1.6 1 1.6h8.2c.9 0 1.5-.7 1-1.6L9.4 6.2V1.8M4.6 10h6.8",
  lock: "M4.6 7V4.9a3.4 3.4 0 0 1 6.8 0V7M3.4 7h9.2v7H3.4z",
  menu: "M2 4h12M2 8h12M2 12h12",
};

export function Icon({ name, size = 16 }: { name: keyof typeof PATHS; size?: number }) {
  return (
    <svg className="icon" width={size} height={size} viewBox="0 0 16 16" fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinejoin="round" strokeLinecap="round" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
