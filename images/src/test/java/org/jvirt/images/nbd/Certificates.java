package org.jvirt.images.nbd;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jvirt.images.testing.Peer;

/// An authority with a server (`localhost`) and a client, made by OpenSSL in the layout of QEMU.
record Certificates(Path folder) {
    static Certificates make(Path parent, String name) throws IOException {
        Peer.need("openssl", "openssl");
        Path folder = Files.createDirectory(parent.resolve(name));
        var made = new Certificates(folder);
        Files.writeString(folder.resolve("ext"), """
            [ca]
            basicConstraints=critical,CA:TRUE
            keyUsage=critical,keyCertSign,cRLSign
            [server]
            basicConstraints=critical,CA:FALSE
            keyUsage=critical,digitalSignature,keyEncipherment
            extendedKeyUsage=serverAuth
            subjectAltName=DNS:localhost,IP:127.0.0.1
            [client]
            basicConstraints=critical,CA:FALSE
            keyUsage=critical,digitalSignature,keyEncipherment
            extendedKeyUsage=clientAuth
            """);
        made.openssl("req -new -newkey rsa:2048 -nodes -keyout ca-key.pem -subj /CN=authority -out ca.csr");
        made.openssl("x509 -req -in ca.csr -signkey ca-key.pem -days 30 -extfile ext -extensions ca -out ca-cert.pem");
        made.side("server");
        made.side("client");
        return made;
    }

    private void side(String side) {
        openssl("req -new -newkey rsa:2048 -nodes -keyout %s-key.pem -subj /CN=%s -out %s.csr"
                .formatted(side, side, side));
        openssl(
                "x509 -req -in %s.csr -CA ca-cert.pem -CAkey ca-key.pem -CAcreateserial -days 30 -extfile ext -extensions %s -out %s-cert.pem"
                        .formatted(side, side, side));
    }

    /// Writes the server's key anew, as PKCS #1.
    void traditionalServerKey() {
        openssl("rsa -in server-key.pem -traditional -out server-key.pem");
    }

    private void openssl(String command) {
        Peer.expect(folder, ("openssl " + command).split(" "));
    }
}
