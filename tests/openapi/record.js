/*
 * record.js: stands between mlcd and Prism and writes down, per call, which operation it was, its status, and what Prism had against it.
 *
 *     node record.js OPERATIONS PRISM_PORT PORT_FILE LOG
 *
 * Two things are violations: an answer that is Prism's own (application/problem+json: a request refused, or an answer of the stand-in held
 * back), and the header sl-violations on an answer that it let through. One JSON object per line:
 *     {"op","method","path","status","violations":[text]}
 */
'use strict';
const fs = require('fs');
const http = require('http');
const [operationsFile, prismPort, portFile, logFile] = process.argv.slice(2);

const operations = fs.readFileSync(operationsFile, 'utf8').split('\n')
    .filter((line) => line.trim() && !line.startsWith('#'))
    .map((line) => {
        const [name, method, path] = line.trim().split(/\s+/);
        return { name, method, exact: !path.includes('{'), pattern: new RegExp('^' + path.replace(/\{[^}]*\}/g, '[^/]+') + '$') };
    })
    .sort((a, b) => Number(b.exact) - Number(a.exact));     // /crm/v8/org before /crm/v8/{module}

function operation(method, path) {
    const found = operations.find((o) => o.method === method && o.pattern.test(path));
    if (found) return found.name;
    return path.startsWith('/crm/') ? 'unlisted' : 'reach';
}

function violations(answer, body) {
    const type = answer.headers['content-type'] || '';
    const header = answer.headers['sl-violations'];
    let list = [];
    if (type.startsWith('application/problem+json')) {
        let problem = {};
        try { problem = JSON.parse(body.toString()); } catch { /* told by the text below */ }
        list = (problem.validation || []).map((v) => JSON.stringify(v));
        if (list.length === 0) list = [`${(problem.type || '').split('#').pop()} ${problem.title || ''} ${problem.detail || body.toString().slice(0, 300)}`];
    }
    if (header) {
        try { list = list.concat(JSON.parse(header).map((v) => JSON.stringify(v))); } catch { list.push(String(header)); }
    }
    return list;
}

const log = fs.createWriteStream(logFile, { flags: 'a' });
const agent = new http.Agent({ keepAlive: true });
const server = http.createServer((request, response) => {
    const upstream = http.request({ agent, host: '127.0.0.1', port: Number(prismPort), method: request.method, path: request.url, headers: request.headers }, (answer) => {
        const parts = [];
        answer.on('data', (part) => parts.push(part));
        answer.on('end', () => {
            const body = Buffer.concat(parts);
            const path = request.url.split('?')[0];
            log.write(JSON.stringify({ op: operation(request.method, path), method: request.method, path, status: answer.statusCode, violations: violations(answer, body) }) + '\n');
            const headers = { ...answer.headers };
            delete headers['transfer-encoding'];
            response.writeHead(answer.statusCode, headers);
            response.end(body);
        });
        answer.on('error', () => response.destroy());
    });
    upstream.on('error', () => response.destroy());
    request.pipe(upstream);
});
server.listen(0, '127.0.0.1', () => {
    fs.writeFileSync(portFile + '.new', `${server.address().port}\n`);
    fs.renameSync(portFile + '.new', portFile);
});
process.on('SIGTERM', () => log.end(() => process.exit(0)));
