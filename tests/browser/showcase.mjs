// SPDX-License-Identifier: MIT
// node showcase.mjs URL CHROMIUM FOLDER: every example of the page, clicked in the browser and sent by curl. The two
// answers must be equal in status, fields and content, once what differs from request to request is made equal.
import {execFile} from 'node:child_process';
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {chromium} from 'playwright-core';

const [url, browserPath, folder] = process.argv.slice(2);
const run = promisify(execFile);
let passed = 0;
let failed = 0;

function check(what, good, detail = '') {
  if (good) {
    passed += 1;
  } else {
    failed += 1;
    console.log(`FAILED ${what}${detail === '' ? '' : `\n${detail}`}`);
  }
}

function equal(what, browser, curl) {
  check(what, browser === curl, `  browser: ${browser}\n  curl:    ${curl}`);
}

// Numbers of requests and connections, ports, times and ids that the server counts up.
const steady = text => text
    .replace(/"request_id":"[0-9a-f]+"/g, '"request_id":"ID"')
    .replace(/"peer":"127\.0\.0\.1:\d+"/g, '"peer":"PEER"')
    .replace(/"age_ms":\d+/g, '"age_ms":AGE')
    .replace(/"requests":\d+/g, '"requests":COUNT')
    .replace(/"id":\d+,"name":"Grace"/g, '"id":ID,"name":"Grace"');

// Which differ from one answer to the next, or say how long the volatile content is.
const volatileFields = new Set(['date', 'content-length']);
function fieldsOf(fields, content) {
  const normal = steady(content) !== content;
  return fields.map(([name, value]) => [name.toLowerCase(), value])
      .filter(([name]) => name === 'content-length' ? !normal : !volatileFields.has(name))
      .map(([name, value]) => `${name}: ${name === 'location' ? value.replace(/\d+$/, 'ID') : value}`)
      .sort().join(' | ');
}

async function curl({method, target, headers, body, follow}) {
  const args = ['-sSi', '-m', '20'];
  if (method === 'HEAD') args.push('--head');
  else args.push('-X', method);
  if (follow) args.push('-L');
  for (const [name, value] of headers) args.push('-H', `${name}: ${value}`);
  if (body !== null) args.push('--data-binary', body);
  args.push(url + target);
  const {stdout} = await run('curl', args, {encoding: 'utf8', maxBuffer: 64 << 20});
  let rest = stdout;
  let head;
  do {
    const end = rest.indexOf('\r\n\r\n');
    head = rest.slice(0, end);
    rest = rest.slice(end + 4);
  } while (/^HTTP\/1\.1 (1|3)\d\d/.test(head) && rest.startsWith('HTTP/1.1 '));
  const [line, ...lines] = head.split('\r\n');
  const fields = lines.map(text => [text.slice(0, text.indexOf(':')), text.slice(text.indexOf(':') + 1).trim()]);
  return {status: Number(line.split(' ')[1]), fields, body: method === 'HEAD' ? '' : rest};
}

async function answerOf(card) {
  await card.evaluate(node => { node.dataset.state = ''; });
  await card.locator('.send').click();
  await card.and(card.page().locator('[data-state=done]')).waitFor({timeout: 20_000});
  return card.evaluate(node => ({
    result: node.result,
    request: {
      method: node.querySelector('.method').value ?? node.querySelector('.method').textContent,
      target: node.querySelector('.target').value,
      headers: (node.querySelector('.fields')?.value ?? '').split('\n').filter(Boolean).map(l => l.split(/:\s*/)),
      body: node.querySelector('.content')?.value || null,
    },
    shown: {
      status: node.querySelector('.status b').textContent,
      facts: node.querySelector('.status span').textContent,
      body: node.querySelector('.body').textContent,
      source: node.querySelector('.source code')?.textContent ?? null,
      follows: node.id === 'redirect',
    },
  }));
}

const profile = await mkdtemp(join(tmpdir(), 'spate-browser-'));
const context = await chromium.launchPersistentContext(profile, {
  executablePath: browserPath, headless: true, viewport: {width: 1280, height: 900},
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
         '--disable-component-update', '--disable-sync'],
});
try {
  const page = await context.newPage();
  const complaints = [];
  const outside = [];
  // Chromium logs each answer of 400 and more as an error of loading; examples ask for some on purpose.
  page.on('console', message => {
    const refused = /^Failed to load resource: the server responded with a status of [45]\d\d/.test(message.text());
    if (['error', 'warning'].includes(message.type()) && !refused) complaints.push(message.text());
  });
  page.on('pageerror', error => complaints.push(String(error)));
  page.on('request', request => { if (!request.url().startsWith(url) && !request.url().startsWith('data:')) outside.push(request.url()); });

  const loaded = await page.goto(url + '/');
  equal('the page is what curl gets', await loaded.text(), (await curl({method: 'GET', target: '/', headers: [], body: null})).body);
  check('the page has a policy without unsafe-inline', /script-src 'sha256-/.test(loaded.headers()['content-security-policy'] ?? '') &&
        !/unsafe/.test(loaded.headers()['content-security-policy']));

  const names = await page.locator('article').evaluateAll(nodes => nodes.map(node => node.id));
  check('the page has its examples', names.length >= 20, `  it has ${names.length}: ${names.join(' ')}`);
  for (const name of names) {
    const card = page.locator(`article#${name}`);
    const {result, request, shown} = await answerOf(card);
    check(`${name}: it is answered`, result !== null && result !== undefined, `  it shows "${shown.status} ${shown.facts}"`);
    if (!result) continue;
    const other = await curl({...request, follow: shown.follows});
    equal(`${name}: status`, String(result.status), String(other.status));
    equal(`${name}: content`, steady(result.body), steady(other.body));
    equal(`${name}: fields`, fieldsOf(result.headers, result.body), fieldsOf(other.fields, other.body));
    check(`${name}: the status is shown`, shown.status.startsWith(String(result.status)), `  it shows "${shown.status}"`);
    const type = result.headers.find(([field]) => field === 'content-type')?.[1] ?? '';
    // JSON is shown with other blanks than it was sent with.
    const compact = text => /json/.test(type) ? JSON.stringify(JSON.parse(text)) : text;
    equal(`${name}: the content is shown`, compact(shown.body), compact(result.body));
    if (name !== 'any') check(`${name}: the source is shown`, shown.source !== null && shown.source.trim().length > 20);
  }
  const count = await page.locator('article.none').count();
  equal('every route of the server is tried by an example', '', await untried(page));
  equal('all examples but one show their source', String(names.length - count), String(await page.locator('article .source code').count()));

  const stream = page.locator('article#stream');
  await stream.locator('.target').fill('/stream?chunks=5&pause=60');
  const {result: streamed} = await answerOf(stream);
  check('a streamed answer arrives in pieces', streamed.pieces >= 4, `  it came in ${streamed.pieces}`);

  await stream.locator('.target').fill('/stream?chunks=10000&pause=1000');
  await stream.locator('.send').click();
  await stream.locator('.body', {hasText: 'line 1 of 10000'}).waitFor();
  await stream.locator('.send').click();
  await stream.and(page.locator('[data-state=done]')).waitFor();
  equal('Stop ends a stream', await stream.locator('.status b').textContent(), 'stopped');
  await stream.locator('.target').fill('/stream?chunks=20&pause=100');

  const create = page.locator('article#create_user');
  await create.locator('.content').fill('{"name": "Grace", "age": "36", "role": "admin"}');
  const {result: refused} = await answerOf(create);
  equal('a wrong type is refused with its place', `${refused.status} ${JSON.parse(refused.body).pointer}`, '422 /age');
  await create.locator('.content').fill('{"name": "Grace", "age": 36, "role": "admin"}');

  const group = page.locator('article#group');
  await group.locator('.fields').fill('authorization: Bearer wrong');
  equal('a wrong token is refused', String((await answerOf(group)).result.status), '401');
  await group.locator('.fields').fill('authorization: Bearer let-me-in');
  await answerOf(group);

  const upload = page.locator('article#upload');
  await upload.locator('input[type=file]').setInputFiles({name: 'million.bin', mimeType: 'application/octet-stream', buffer: Buffer.alloc(1_000_000, 'x')});
  const {result: uploaded} = await answerOf(upload);
  equal('a file is uploaded', uploaded.body, (await curl({method: 'POST', target: '/upload', headers: [], body: 'x'.repeat(100_000)})).body
      .replace(/"bytes":\d+,"crc32":\d+/, `"bytes":1000000,"crc32":${JSON.parse(uploaded.body).crc32}`));
  await upload.locator('input[type=file]').setInputFiles([]);
  await answerOf(upload);

  for (const colours of ['light', 'dark']) {
    for (const [size, width, height] of [['desktop', 1280, 900], ['phone', 390, 844]]) {
      await page.emulateMedia({colorScheme: colours});
      await page.setViewportSize({width, height});
      await page.evaluate(() => scrollTo(0, 0));
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      check(`${size}, ${colours}: nothing is wider than the window`, wide <= 0, `  by ${wide} px`);
      await page.screenshot({path: join(folder, `${size}-${colours}.png`), fullPage: true});
    }
  }
  check('the console has no complaint', complaints.length === 0, complaints.map(text => `  ${text}`).join('\n'));
  check('the page asks no other server', outside.length === 0, outside.join('\n'));
} finally {
  await context.close();
  await rm(profile, {recursive: true, force: true});
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

// Patterns of /routes that no example's first target matches, with the method that it has.
async function untried(page) {
  const tried = await page.locator('article').evaluateAll(nodes => nodes.map(
      node => [node.dataset.method ?? 'GET', node.dataset.target.split('?')[0]]));
  const routes = await (await page.request.get(url + '/routes')).json();
  const matches = (pattern, path) => new RegExp(`^${pattern.replace(/\{\w+:int\}/g, '\\d+').replace(/\{\w+\}/g, '[^/]+')}$`).test(path);
  return routes.filter(route => !tried.some(([method, path]) =>
      ({HEAD: 'GET', OPTIONS: route.method}[method] ?? method) === route.method && matches(route.pattern, path)))
      .map(route => `${route.method} ${route.pattern}`).join(', ');
}
