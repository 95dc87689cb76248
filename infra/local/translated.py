"""What SAM makes of template.yaml, as far as cfn-lint does not look at it.

Each public function URL has both permissions that AWS asks for. Since October 2025 a URL without AWS authentication needs two statements in its function's policy, and answers 403 with one of them alone:
<https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html>. The template writes neither, because SAM does; an older SAM wrote only the first.

And infra/stack-policy.json protects what there is: CloudFormation takes a policy that names nothing.
"""

import json
import logging
import sys
from pathlib import Path

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).parents[2]

# What each of the two has to say besides the function and whom it is for.
WANTED = [
    {"Action": "lambda:InvokeFunctionUrl", "FunctionUrlAuthType": "NONE"},
    {"Action": "lambda:InvokeFunction", "InvokedViaFunctionUrl": True},
]


class NoPolicies:
    """No function here has a policy of SAM's own, so none is looked up."""

    def load(self) -> dict[str, str]:
        return {}


def resources() -> dict[str, dict]:
    template = yaml_parse((ROOT / "template.yaml").read_text())
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            # Where `sam package` would have put the program.
            resource["Properties"]["CodeUri"] = "s3://bucket/program"
    return transform(template, {}, NoPolicies())["Resources"]


def permissions(made: dict[str, dict]) -> list[str]:
    """What is missing for somebody's request to get through to a public URL."""
    granted = [resource["Properties"] for resource in made.values() if resource["Type"] == "AWS::Lambda::Permission"]
    urls = [resource["Properties"] for resource in made.values() if resource["Type"] == "AWS::Lambda::Url"]
    public = [url["TargetFunctionArn"] for url in urls if url["AuthType"] == "NONE"]
    if not public:
        return ["there is no public function URL, so nothing was looked at"]
    missing = [(function, wanted) for function in public for wanted in WANTED if {"FunctionName": function, "Principal": "*", **wanted} not in granted]
    return [f"{function['Ref']}: nothing grants everybody {wanted['Action']} with {wanted}" for function, wanted in missing]


def protected(made: dict[str, dict]) -> list[str]:
    """What the stack policy names and the stack has not."""
    statements = json.loads((ROOT / "infra" / "stack-policy.json").read_text())["Statement"]
    named = [name for statement in statements for name in statement["Resource"] if statement["Effect"] == "Deny"]
    ids = [name.removeprefix("LogicalResourceId/") for name in named]
    return [f"infra/stack-policy.json names {name}, which there is not" for name in ids if name not in made]


def main() -> int:
    # SAM warns of what its next version will do.
    logging.disable(logging.WARNING)
    made = resources()
    wrong = permissions(made) + protected(made)
    for line in wrong:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
