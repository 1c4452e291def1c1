#!/usr/bin/env bash
# versitygw 1.8.0: a file that is in the folder which the gateway serves is listed and read as an object, and a PutObject "only if
# the name is free" replaces it.
#
# One would expect: the gateway shows a folder as a bucket, so a file that a program wrote there is an object, with which
#   `If-None-Match: *` answers 412 as with any other.
# What happens: the condition looks at the ETag that the gateway keeps in an extended attribute, and a file from elsewhere has
#   none. LIST, HEAD and GET know the object; PutObject with `If-None-Match: *` answers 200 and the file's content is gone.
#   CompleteMultipartUpload does the same.
# Why it matters: serving a share that other programs write to is what such a gateway is for; and publishing once by a
#   condition is how two writers keep out of each other's way there.
# Safely: one way in for each folder; or HEAD before the conditional PUT, which narrows the gap and does not close it.
set -euo pipefail
work=$(mktemp -d)
pids=()
trap 'for p in "${pids[@]}"; do kill "$p" 2>/dev/null || true; wait "$p" 2>/dev/null || true; done; rm -rf "$work"' EXIT
cd "$work"
GOBIN="$work/bin" go install github.com/versity/versitygw/cmd/versitygw@v1.8.0
python3 -m venv venv
venv/bin/pip -q install boto3==1.44.8
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
mkdir -p data
bin/versitygw --access tester --secret testersecret --port "127.0.0.1:$port" posix data > gw.log 2>&1 &
pids+=($!)
venv/bin/python - "$port" "$work/data/outgoing" <<'PY'
import sys, time
import boto3, importlib.metadata as m
from botocore.client import Config
from botocore.exceptions import ClientError, EndpointConnectionError

port, folder = sys.argv[1:]
print("boto3", m.version("boto3"), "versitygw v1.8.0")
s3 = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{port}", aws_access_key_id="tester",
                  aws_secret_access_key="testersecret", region_name="us-east-1",
                  config=Config(s3={"addressing_style": "path"}))
for _ in range(100):
    try:
        s3.list_buckets()
        break
    except EndpointConnectionError:
        time.sleep(0.1)
s3.create_bucket(Bucket="outgoing")


def read(key):
    return s3.get_object(Bucket="outgoing", Key=key)["Body"].read().decode()


def condition(call):
    try:
        return call()["ResponseMetadata"]["HTTPStatusCode"]
    except ClientError as e:
        return e.response["ResponseMetadata"]["HTTPStatusCode"]


def put(key):
    return condition(lambda: s3.put_object(Bucket="outgoing", Key=key, Body=b"second", IfNoneMatch="*"))


def in_parts(key):
    name = dict(Bucket="outgoing", Key=key)
    up = s3.create_multipart_upload(**name)["UploadId"]
    part = s3.upload_part(**name, UploadId=up, PartNumber=1, Body=b"second")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    return condition(lambda: s3.complete_multipart_upload(**name, UploadId=up, MultipartUpload=parts, IfNoneMatch="*"))


for way, do in (("PutObject", put), ("CompleteMultipartUpload", in_parts)):
    by_api, by_file = f"{way}-by-the-gateway.csv", f"{way}-by-a-program.csv"
    s3.put_object(Bucket="outgoing", Key=by_api, Body=b"first")
    with open(f"{folder}/{by_file}", "w") as file:
        file.write("first")
    listed = {it["Key"]: it["Size"] for it in s3.list_objects_v2(Bucket="outgoing")["Contents"]}
    assert (listed[by_file], read(by_file)) == (5, "first"), listed
    assert s3.head_object(Bucket="outgoing", Key=by_file)["ContentLength"] == 5
    for key in (by_api, by_file):
        status = do(key)
        print(f"{way} with If-None-Match: *, {key}: status {status}, it holds the {read(key)}")
        expected = (412, "first") if key == by_api else (200, "second")
        assert (status, read(key)) == expected, (status, read(key))
print("seen: the condition holds for what came by the gateway alone")
PY
