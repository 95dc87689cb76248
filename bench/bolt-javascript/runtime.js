// Asks Lambda's runtime API for work: a plain loop over one kept connection, which is less than AWS's own client does (that one is built with cmake).
const http = require("node:http");
const { handler } = require("./handler.js");

const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");

function call(method, path, body) {
  return new Promise((resolve, reject) => {
    const request = http.request({ agent, host, port, method, path: `/2018-06-01/runtime/invocation/${path}` }, (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part));
      response.on("end", () => resolve({ headers: response.headers, body: Buffer.concat(parts) }));
      response.on("error", reject);
    });
    request.on("error", reject);
    request.end(body);
  });
}

async function run() {
  for (;;) {
    const { headers, body } = await call("GET", "next");
    const awsRequestId = headers["lambda-runtime-aws-request-id"];
    const answer = await handler(JSON.parse(body), { awsRequestId });
    await call("POST", `${awsRequestId}/response`, JSON.stringify(answer));
  }
}

run();
