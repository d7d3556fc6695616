"""AWS Lambda: the event comes from outside, the context does not."""

import os

import boto3

table = boto3.resource("dynamodb").Table("orders")


def lambda_handler(event, context):
    os.system(event["queryStringParameters"]["name"])  # bad: command
    os.system(context.function_name)
    return {"statusCode": 200}


def helper(event, other):
    os.system(event["name"])
