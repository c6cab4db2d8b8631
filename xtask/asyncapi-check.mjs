// Reads AsyncAPI documents with the official parser, and fails where it finds an error or a warning. Not part of the tests: the parser
// has to be installed first, in a folder of its own.
//
//   npm install @asyncapi/parser@3.6.6
//   cargo xtask bundle kalshi --streams > kalshi.json
//   node asyncapi-check.mjs kalshi.json
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

// From the folder that the command is run in, wherever this file is.
const { Parser } = createRequire(join(process.cwd(), 'index.js'))('@asyncapi/parser');
for (const file of process.argv.slice(2)) {
  const { document, diagnostics } = await new Parser().parse(readFileSync(file, 'utf8'));
  const problems = diagnostics.filter(({ severity }) => severity <= 1);
  problems.forEach(({ code, message, path }) => console.log(`${file}: ${code}: ${message} at ${path.join('/')}`));
  if (!document || problems.length > 0) {
    process.exitCode = 1;
  } else {
    console.log(`${file}: ${document.channels().length} channels, ${document.operations().length} operations`);
  }
}
