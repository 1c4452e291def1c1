#!/usr/bin/env bash
# versitygw 1.8.0 and moto 5.2.5: If-None-Match holds for PutObject, CopyObject answers 200 and replaces.
#
# One would expect: `If-None-Match: *` means "only if the name is free", for a copy as for a put; boto3 1.44 has the
#   argument for copy_object as it has it for put_object, and a server that does not know it refuses.
# What happens: put_object and complete_multipart_upload answer 412 on both servers and keep the object.
#   copy_object with the same argument answers 200 and the object under the name is the new one.
# Why it matters: "upload under a temporary name, then copy to the final name if it is free" is how a file is
#   published once. On these servers it overwrites what a consumer may be reading, and both sides hear success.
# Safely: publish with a conditional PutObject, or UploadPartCopy and a conditional CompleteMultipartUpload,
#   which both servers honour; try the condition once against the very server before relying on it.
set -euo pipefail
work=$(mktemp -d)
pids=()
trap 'for p in "${pids[@]}"; do kill "$p" 2>/dev/null || true; wait "$p" 2>/dev/null || true; done; rm -rf "$work"' EXIT
cd "$work"
GOBIN="$work/bin" go install github.com/versity/versitygw/cmd/versitygw@v1.8.0
python3 -m venv venv
venv/bin/pip -q install boto3==1.44.8 'moto[server]==5.2.5'
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
a=$(free_port)
b=$(free_port)
mkdir data
bin/versitygw --access tester --secret testersecret --port "127.0.0.1:$a" posix data > gw.log 2>&1 &
pids+=($!)
venv/bin/moto_server -H 127.0.0.1 -p "$b" > moto.log 2>&1 &
pids+=($!)

venv/bin/python - "versitygw=$a" "moto=$b" <<'PY'
import sys, time
import boto3, importlib.metadata as m
from botocore.client import Config
from botocore.exceptions import ClientError, EndpointConnectionError

print("boto3", m.version("boto3"), "moto", m.version("moto"), "versitygw v1.8.0")
for arg in sys.argv[1:]:
    server, port = arg.split("=")
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

    def seen(what, call):
        s3.put_object(Bucket="outgoing", Key="day.csv", Body=b"first")
        s3.put_object(Bucket="outgoing", Key="day.csv.tmp", Body=b"second")
        try:
            status = call()["ResponseMetadata"]["HTTPStatusCode"]
        except ClientError as e:
            status = e.response["ResponseMetadata"]["HTTPStatusCode"]
        body = s3.get_object(Bucket="outgoing", Key="day.csv")["Body"].read().decode()
        print(f"{server:10} {what:45} status {status}, day.csv holds the {body}")
        return status, body

    name = dict(Bucket="outgoing", Key="day.csv")

    def multipart():
        up = s3.create_multipart_upload(**name)["UploadId"]
        part = s3.upload_part_copy(**name, UploadId=up, PartNumber=1, CopySource="outgoing/day.csv.tmp")
        parts = {"Parts": [{"PartNumber": 1, "ETag": part["CopyPartResult"]["ETag"]}]}
        try:
            return s3.complete_multipart_upload(**name, UploadId=up, MultipartUpload=parts, IfNoneMatch="*")
        except ClientError:
            s3.abort_multipart_upload(**name, UploadId=up)
            raise

    assert seen("put_object(IfNoneMatch='*')",
                lambda: s3.put_object(**name, Body=b"second", IfNoneMatch="*")) == (412, "first")
    assert seen("copy by parts, complete(IfNoneMatch='*')", multipart) == (412, "first")
    assert seen("copy_object(IfNoneMatch='*')",
                lambda: s3.copy_object(**name, CopySource="outgoing/day.csv.tmp", IfNoneMatch="*")) == (200, "second")
print("seen: the condition is dropped by CopyObject alone")
PY
