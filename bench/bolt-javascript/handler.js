// The slash command `/incident` as one writes it with Bolt: verify, put one message on a FIFO queue, acknowledge.
const { App, AwsLambdaReceiver } = require("@slack/bolt");
const { SQSClient, SendMessageCommand } = require("@aws-sdk/client-sqs");

// Its secret comes from the environment and costs no call; that of Tocsin is read from Secrets Manager.
const receiver = new AwsLambdaReceiver({ signingSecret: process.env.SLACK_SIGNING_SECRET });
// Bolt would ask Slack who it is at the first request.
const app = new App({ receiver, authorize: async () => ({ botToken: "xoxb-bench", botId: "B0BENCH", botUserId: "U0BENCH" }) });
const sqs = new SQSClient({ endpoint: process.env.AWS_ENDPOINT_URL, useQueueUrlAsEndpoint: false });

app.command("/incident", async ({ ack, command }) => {
  const { team_id, channel_id, user_id, text, trigger_id, response_url } = command;
  await sqs.send(
    new SendMessageCommand({
      QueueUrl: process.env.INTENTS_QUEUE_URL,
      MessageGroupId: team_id,
      MessageDeduplicationId: trigger_id,
      MessageBody: JSON.stringify({ team_id, channel_id, user_id, text, response_url }),
    }),
  );
  await ack();
});

const started = receiver.start();
exports.handler = async (event, context) => (await started)(event, context);
