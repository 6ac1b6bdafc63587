// The page of a report in a browser, without a screen:
//
//	node report.mjs PLAYWRIGHT CHROMIUM PAGE.html [FOLDER]
//
// At 1280 pixels nothing scrolls sideways; a table is sorted by the head that is pressed and searched by its field; what only changes shapes is
// hidden until it is asked for; every field, table and plot has a name; nothing is loaded. With FOLDER it leaves screenshots there, wide and
// narrow, light and dark.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [, , playwright, executablePath, file, folder] = process.argv;
const { chromium } = createRequire(import.meta.url)(playwright);
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
const expect = (ok, what) => { if (!ok) throw new Error(what); };
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  const problems = [];
  page.on('pageerror', e => problems.push(String(e)));
  page.on('request', r => r.url().startsWith('file:') || problems.push(`it loads ${r.url()}`));
  await page.goto(String(pathToFileURL(file)));
  const wide = await page.$$eval('html, .scroll', all => all.filter(e => e.scrollWidth > e.clientWidth).map(e => e.className || e.tagName));
  expect(wide.length === 0, `wider than 1280 pixels: ${wide}`);

  const column = n => page.$$eval(`#operators tbody tr:not([hidden]):not(.shape) td:nth-child(${n})`, all => all.map(e => e.textContent));
  const heads = await page.$$eval('#operators th', all => all.map(e => e.textContent));
  const at = heads.indexOf('out dB') + 1;
  for (const [sign, name] of [[-1, 'descending'], [1, 'ascending']]) {
    await page.click(`#operators th:nth-child(${at}) button`);
    expect(await page.getAttribute(`#operators th:nth-child(${at})`, 'aria-sort') === name, `not said to be ${name}`);
    const have = (await column(at)).filter(t => t && t !== 'exact').map(Number);
    expect(have.length > 3 && have.every((v, i) => i === 0 || sign * (v - have[i - 1]) >= 0), `not ${name}: ${have}`);
  }
  await page.fill('input[data-table=operators]', 'layer3 conv1');
  const found = await column(1);
  expect(found.length > 1 && found.every(t => t.startsWith('layer3') && t.endsWith('conv1')), `found ${found}`);
  await page.fill('input[data-table=operators]', '');
  const shown = () => page.$$eval('#operators tbody tr.shape', all => all.filter(e => e.offsetParent !== null).length);
  expect(await shown() === 0, 'operators that only change shapes are shown');
  await page.check('#shapes');
  expect(await shown() > 0, 'operators that only change shapes are not shown when asked for');
  const nameless = await page.$$eval('svg, table, input', all => all.filter(e => !e.getAttribute('aria-label') && !(e.labels && e.labels.length)).map(e => e.outerHTML.slice(0, 80)));
  expect(nameless.length === 0, `without a name: ${nameless}`);

  const colours = new Set();
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    colours.add(await page.evaluate(() => getComputedStyle(document.body).backgroundColor));
    for (const width of folder ? [1280, 420] : []) {
      await page.setViewportSize({ width, height: 900 });
      await page.screenshot({ path: `${folder}/report-${colorScheme}-${width}.png`, fullPage: true });
    }
  }
  expect(colours.size === 2, `the same in light and dark: ${[...colours]}`);
  expect(problems.length === 0, problems.join('\n'));
  console.log(`the report works in ${browser.version()}`);
} finally {
  await browser.close();
}
