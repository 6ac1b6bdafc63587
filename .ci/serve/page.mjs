// The pages in a browser, without a screen:
//
//	node page.mjs PLAYWRIGHT CHROMIUM EXAMPLE SERVER PICTURE CLASS [FOLDER]
//
// It gives the page of examples/serve a picture and expects the class, then runs the form of octet serve's page with the
// JSON that the page proposes, and expects that a page of another origin is refused. With FOLDER it leaves screenshots there.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';

const [, , playwright, executablePath, example, server, picture, expected, folder] = process.argv;
const { chromium } = createRequire(import.meta.url)(playwright);
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
const foreign = createServer((_, res) => res.end('<!DOCTYPE html><title>elsewhere</title>')).listen(0, '127.0.0.1');
try {
  const page = await browser.newPage({ viewport: { width: 800, height: 800 } });
  const problems = [];
  page.on('pageerror', e => problems.push(String(e)));
  const shot = name => folder && page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });

  await page.goto(example);
  await page.setInputFiles('#file', picture);
  await page.waitForSelector('.class', { timeout: 30000 });
  const have = await page.textContent('.class span');
  if (have !== expected) throw new Error(`the page says ${have}, not ${expected}`);
  await shot('example');

  await page.goto(server);
  const text = await page.textContent('body');
  if (!text.includes('resnet20') || !text.includes('curl')) throw new Error(`the server's page: ${text}`);
  await page.click('form button, form input[type=submit]');
  await page.waitForLoadState();
  const result = await page.textContent('body');
  if (!result.includes('output0')) throw new Error(`the form gives ${result}`);
  await shot('server');

  await page.goto(`http://127.0.0.1:${foreign.address().port}/`);
  for (const url of [`${example}/classify`, `${server}/v2/models/resnet20/infer`]) {
    const read = await page.evaluate(url => fetch(url, { method: 'POST', body: '{}' }).then(r => r.status, () => 'refused'), url);
    if (read !== 'refused') throw new Error(`a page of another origin reads ${read} of ${url}`);
  }
  if (problems.length) throw new Error(problems.join('\n'));
  console.log(`the pages work in ${browser.version()}`);
} finally {
  await browser.close();
  foreign.close();
}
