"""The slash command `/incident` as one writes it with Bolt: verify, put one message on a FIFO queue, acknowledge."""

import json
import os

import boto3
from slack_bolt import App
from slack_bolt.adapter.aws_lambda import SlackRequestHandler
from slack_bolt.authorization import AuthorizeResult

# Its secret comes from the environment and costs no call; that of Tocsin is read from Secrets Manager.
# Bolt would ask Slack who it is at the first request; here it is told.
app = App(
    process_before_response=True,
    signing_secret=os.environ["SLACK_SIGNING_SECRET"],
    authorize=lambda: AuthorizeResult(enterprise_id=None, team_id="T0TOCSIN", bot_token="xoxb-bench", bot_id="B0BENCH", bot_user_id="U0BENCH"),
)
sqs = boto3.client("sqs")


@app.command("/incident")
def incident(ack, command):
    """Queues what was said."""
    said = {name: command[name] for name in ("team_id", "channel_id", "user_id", "text", "response_url")}
    sqs.send_message(
        QueueUrl=os.environ["INTENTS_QUEUE_URL"],
        MessageGroupId=command["team_id"],
        MessageDeduplicationId=command["trigger_id"],
        MessageBody=json.dumps(said),
    )
    ack()


handle = SlackRequestHandler(app=app).handle
