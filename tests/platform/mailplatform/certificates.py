"""The test CA, the servers' certificates, and the ones that are wrong on purpose.

One file per certificate in the instance's tls/ folder: good.crt, expired.crt, ... Each side has
one key for all of them. Made when first needed: an elliptic key costs some 10 ms.
"""

from . import paths, root

HOSTS = ("smtp", "mx", "imap", "pop", "webmail", "dav", "autoconfig", "login", "mta-sts",
         "v4only", "v6only", "deadv6")        # names that DNS tells only half of the truth about

OTHER_HOSTS = ("mta-sts.strictmx.test",)      # that the inside serves

# kind -> (signed by, host names are wrong, notBefore, notAfter)
KINDS = {
    "good":          ("ca", False, "", ""),
    "expired":       ("ca", False, "20200101000000Z", "20210101000000Z"),
    "not-yet-valid": ("ca", False, "20450101000000Z", "20460101000000Z"),
    "self-signed":   ("", False, "", ""),
    "wrong-host":    ("ca", True, "", ""),
    "unknown-ca":    ("unknown", False, "", ""),
}

CONFIG = """
[ca]
default_ca = here
[here]
database = index
new_certs_dir = issued
rand_serial = yes
unique_subject = no
default_md = sha256
default_days = 3650
policy = any
x509_extensions = server
[any]
commonName = supplied
[req]
distinguished_name = name
prompt = no
[name]
commonName = {host}
[server]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = {names}
[authority]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
"""


def prepare(data):
    """Lay out the CA's folder and its own certificate."""
    folder = data / "tls"
    (folder / "issued").mkdir(parents=True)
    (folder / "index").touch()
    authority(folder, "ca", "mailprobe platform test CA")


def ensure(data, side, domain, kind):
    """Make the certificate of this KIND for a side if it is not there yet."""
    folder = data / "tls"
    target = folder / f"{side}-{kind}.crt"
    if target.exists():
        return
    key = folder / f"{side}.key"
    issuer, wrong_host, not_before, not_after = KINDS[kind]
    if issuer and not (folder / f"{issuer}.crt").exists():
        authority(folder, issuer, "a CA that nobody trusts")
    if wrong_host:
        names, host = "DNS:some-other-host.test", "some-other-host.test"
    else:
        names, host = ",".join(f"DNS:{host}" for host in (
            *(f"{host}.{domain}" for host in HOSTS), *OTHER_HOSTS)), f"smtp.{domain}"
    (folder / "config").write_text(CONFIG.format(host=host, names=names))
    openssl(folder, f"req -new -config config -key {key.name} -out request")
    signer = f"-cert {issuer}.crt -keyfile {issuer}.key" if issuer else f"-selfsign -keyfile {key.name}"
    dates = f"-startdate {not_before} -enddate {not_after}" if not_before else ""
    openssl(folder, f"ca -batch -notext -config config {signer} {dates} -in request -out {target.name}")


def create_key(data, side):
    """A side's key; returns the digest of its public half, for a TLSA record (3 1 1)."""
    return openssl(data / "tls", f"ecparam -name prime256v1 -genkey -noout -out {side}.key && "
                   f"openssl pkey -in {side}.key -pubout -outform DER | openssl sha256 -r").split()[0]


def dkim_public_key():
    """The public half of the private root's key, as a TXT record has it."""
    lines = root.run_in(paths.ROOT, f"openssl rsa -in {root.DKIM_KEY} -pubout").stdout.splitlines()
    return "".join(line for line in lines if not line.startswith("-"))


def authority(folder, name, title):
    (folder / "config").write_text(CONFIG.format(host=title, names="DNS:unused.test"))
    openssl(folder, f"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 "
                    f"-config config -extensions authority -keyout {name}.key -out {name}.crt")


def openssl(folder, arguments):
    return root.run_in(paths.ROOT, ["sh", "-c", f"cd {paths.within(folder)} && openssl {arguments}"]).stdout
