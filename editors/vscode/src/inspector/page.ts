import { randomBytes } from "node:crypto";

/** The inspector's page. It holds nothing of a model, may load two files of the extension's, and nothing else. */
export function page(cspSource: string, script: string, style: string): string {
  const nonce = randomBytes(16).toString("base64");
  const policy = `default-src 'none'; style-src ${cspSource}; script-src 'nonce-${nonce}'; base-uri 'none'; form-action 'none'`;
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${style}">
<title>Model inspector</title>
</head>
<body>
<main id="root"><p role="status">Reading …</p></main>
<script nonce="${nonce}" src="${script}"></script>
</body>
</html>`;
}
