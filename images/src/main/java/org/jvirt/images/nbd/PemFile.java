package org.jvirt.images.nbd;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CRL;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jvirt.core.UserErrorException;

/// Certificates and keys as text (RFC 7468), whatever stands between them.
///
/// @param blocks in their order
record PemFile(Path file, List<Block> blocks) {
    private static final long MAX_BYTES = 1 << 20;
    private static final Pattern BLOCK =
            Pattern.compile("-----BEGIN ([A-Z0-9 ]{1,40})-----([A-Za-z0-9+/=\\s]*+)-----END \\1-----");
    private static final List<String> KEY_KINDS = List.of("RSA", "EC", "EdDSA");
    /// rsaEncryption, with its parameters of NULL (RFC 8017, A.1).
    private static final byte[] RSA = {
        0x30, 0x0d, 0x06, 0x09, 0x2a, (byte) 0x86, 0x48, (byte) 0x86, (byte) 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00
    };

    /// @param label what it is: `CERTIFICATE`
    record Block(String label, byte[] der) {}

    static PemFile read(Path file) {
        try {
            if (Files.size(file) > MAX_BYTES) {
                throw new UserErrorException("Cannot use %s: it is larger than 1 MiB".formatted(file));
            }
            Matcher matcher = BLOCK.matcher(Files.readString(file, StandardCharsets.ISO_8859_1));
            List<Block> blocks = new ArrayList<>();
            while (matcher.find()) {
                blocks.add(new Block(matcher.group(1), Base64.getMimeDecoder().decode(matcher.group(2))));
            }
            return new PemFile(file, List.copyOf(blocks));
        } catch (NoSuchFileException e) {
            throw new UserErrorException("Cannot use TLS: %s is missing".formatted(file), e);
        } catch (IOException | IllegalArgumentException e) {
            throw new UserErrorException("Cannot read %s: %s".formatted(file, e.getMessage()), e);
        }
    }

    Collection<? extends Certificate> certificates() throws GeneralSecurityException {
        var factory = CertificateFactory.getInstance("X.509");
        List<Certificate> certificates = new ArrayList<>();
        for (byte[] der : of("CERTIFICATE")) {
            certificates.add(factory.generateCertificate(new ByteArrayInputStream(der)));
        }
        return certificates;
    }

    Collection<? extends CRL> revocations() throws GeneralSecurityException {
        var factory = CertificateFactory.getInstance("X.509");
        List<CRL> lists = new ArrayList<>();
        for (byte[] der : of("X509 CRL")) {
            lists.add(factory.generateCRL(new ByteArrayInputStream(der)));
        }
        return lists;
    }

    private List<byte[]> of(String label) {
        List<byte[]> found = blocks.stream()
                .filter(block -> block.label.equals(label))
                .map(Block::der)
                .toList();
        if (found.isEmpty()) {
            throw new UserErrorException("Cannot use %s: it has no %s in PEM form".formatted(file, label));
        }
        return found;
    }

    /// @throws UserErrorException if there is none, or it needs a passphrase
    PrivateKey privateKey() throws GeneralSecurityException {
        for (Block block : blocks) {
            switch (block.label) {
                case "PRIVATE KEY" -> {
                    return key(block.der);
                }
                case "RSA PRIVATE KEY" -> {
                    return key(pkcs8(RSA, block.der));
                }
                case "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY" ->
                    throw new UserErrorException(
                            "Cannot use %s: it is an %s; write it anew with openssl pkcs8 -topk8 -nocrypt -in %s"
                                    .formatted(file, block.label, file));
                default -> {
                    // Text around the key, such as its certificate.
                }
            }
        }
        throw new UserErrorException("Cannot use %s: it has no PRIVATE KEY in PEM form".formatted(file));
    }

    private PrivateKey key(byte[] pkcs8) throws GeneralSecurityException {
        for (String kind : KEY_KINDS) {
            try {
                return KeyFactory.getInstance(kind).generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
            } catch (InvalidKeySpecException e) {
                // Of another kind; the last one is told.
                if (kind.equals(KEY_KINDS.getLast())) {
                    throw e;
                }
            }
        }
        throw new IllegalStateException("No kinds of keys");
    }

    /// Wraps an RSA key (PKCS #1) as the general form has it (RFC 5208, 5): version 0, algorithm, octets.
    private static byte[] pkcs8(byte[] algorithm, byte[] key) {
        byte[] octets = der(0x04, key);
        byte[] inside = new byte[3 + algorithm.length + octets.length];
        System.arraycopy(new byte[] {0x02, 0x01, 0x00}, 0, inside, 0, 3);
        System.arraycopy(algorithm, 0, inside, 3, algorithm.length);
        System.arraycopy(octets, 0, inside, 3 + algorithm.length, octets.length);
        return der(0x30, inside);
    }

    private static byte[] der(int tag, byte[] content) {
        byte[] wrapped = new byte[content.length + 4];
        wrapped[0] = (byte) tag;
        wrapped[1] = (byte) 0x82;
        wrapped[2] = (byte) (content.length >> 8);
        wrapped[3] = (byte) content.length;
        System.arraycopy(content, 0, wrapped, 4, content.length);
        return wrapped;
    }
}
