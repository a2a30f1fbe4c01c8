"""An S3 server of one's own, and what lies in it. `serve` prints where it is and goes on until it is ended."""

import io
import json
import sys
import threading

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
from moto.server import ThreadedMotoServer

BUCKET = "exports"


def client(endpoint):
    made = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
    return boto3.client("s3", endpoint_url=endpoint, **made)


def serve():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    client(endpoint).create_bucket(Bucket=BUCKET)
    print(json.dumps({"endpoint": endpoint}), flush=True)
    threading.Event().wait()


def look(given):
    s3, prefix = client(given["endpoint"]), given["prefix"]
    listed = s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
    objects = {one["Key"]: s3.get_object(Bucket=BUCKET, Key=one["Key"]) for one in listed}
    bytes_of = {key: found["Body"].read() for key, found in objects.items()}
    manifest = json.loads(bytes_of.pop(f"{prefix}_partitura.json", b'{"tables": {}}'))
    told = [f"{prefix}{file['path']}" for table in manifest["tables"].values() for file in table["files"]]
    found = {"found": sorted(bytes_of), "listed": sorted(told), "bytes": sum(map(len, bytes_of.values()))}
    found["lines"] = sum(body.count(b"\n") for key, body in bytes_of.items() if key.endswith(".csv"))
    # A tag with a dash is one of several parts.
    found["parts"] = any("-" in one["ETag"] for one in listed)
    parquet = [body for key, body in bytes_of.items() if key.endswith(".parquet")]
    if parquet:
        table = pa.concat_tables(pq.read_table(io.BytesIO(body)) for body in parquet)
        found["rows"], found["distinct"] = table.num_rows, len(set(table["position"].to_pylist()))
    return found


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve()
    else:
        json.dump(look(json.load(sys.stdin)), sys.stdout)
