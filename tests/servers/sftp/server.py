"""An SFTP server that is not OpenSSH's: `server.py PORT HOST_KEY [WAY…]`. The user is `ann`, the password `open:sesame`.

password   it asks for a password
questions  it asks for the password as a question
replaces   its rename replaces what has the name
spoils     one byte in a thousand is another one once it is written
takes      it takes files and shows none
hangs-up   it ends the connection at a wrong password
picky      it gives no name that begins with "bad", and says "failure"
short      it answers each request for bytes with half of them
openssh    it calls itself OpenSSH
"""

import asyncio
import os
import sys

import asyncssh

PORT, KEY, WAYS = int(sys.argv[1]), sys.argv[2], set(sys.argv[3:])
PASSWORD = "open:sesame"


class Server(asyncssh.SSHServer):
    def connection_made(self, conn):
        self.conn = conn

    def begin_auth(self, username):
        return True

    def password_auth_supported(self):
        return "password" in WAYS

    def validate_password(self, username, password):
        is_right = (username, password) == ("ann", PASSWORD)
        print("password", "taken" if is_right else "refused", flush=True)
        if not is_right and "hangs-up" in WAYS:
            self.conn.abort()
        return is_right

    def kbdint_auth_supported(self):
        return "questions" in WAYS

    def get_kbdint_challenge(self, username, lang, submethods):
        return "", "", "", [("Your name:", True), ("Password:", False)]

    def validate_kbdint_response(self, username, responses):
        return (username, responses) == ("ann", ["", PASSWORD])


class Files(asyncssh.SFTPServer):
    def rename(self, oldpath, newpath):
        if "picky" in WAYS and os.path.basename(newpath).startswith(b"bad"):
            raise asyncssh.SFTPFailure("failure")
        if "replaces" in WAYS:
            os.replace(self.map_path(oldpath), self.map_path(newpath))
        else:
            super().rename(oldpath, newpath)

    def write(self, file_obj, offset, data):
        if "spoils" in WAYS:
            data = b"".join(data[at : at + 1000][:-1] + b"!" for at in range(0, len(data), 1000))
        return super().write(file_obj, offset, data)

    def read(self, file_obj, offset, size):
        if "short" in WAYS:
            size = -(-size // 2)
        return super().read(file_obj, offset, size)

    def open(self, path, pflags, attrs):
        if "takes" in WAYS and not pflags & asyncssh.FXF_WRITE:
            raise asyncssh.SFTPPermissionDenied("nothing is shown")
        return super().open(path, pflags, attrs)


async def main():
    names = {"server_version": "OpenSSH_9.6"} if "openssh" in WAYS else {}
    await asyncssh.listen("127.0.0.1", PORT, server_host_keys=[KEY], server_factory=Server, sftp_factory=Files, **names)
    await asyncio.Event().wait()


asyncio.run(main())
