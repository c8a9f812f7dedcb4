package org.jvirt.cli.launch;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.ImageAccess;
import org.jvirt.images.NetworkAccess;
import org.jvirt.images.Secrets;
import org.jvirt.images.nbd.TlsCredentials;

/// What disks need besides their images: keys, and certificates, as QEMU's `--object` gives them. Immutable.
///
/// ```
/// secret,id=NAME,file=PATH|data=TEXT[,format=raw|base64]
/// tls-creds-x509,id=NAME,dir=FOLDER[,endpoint=client|server][,verify-peer=on|off]
/// ```
public record HostObjects(Secrets secrets, NetworkAccess network) {
    /// The types of objects that it knows.
    public static final Set<String> TYPES = Set.of("secret", "tls-creds-x509");

    /// No objects.
    public static HostObjects none() {
        return new HostObjects(Secrets.none(), NetworkAccess.none());
    }

    /// Reads values of `--object`.
    public static HostObjects all(List<String> texts) {
        HostObjects objects = none();
        for (String text : texts) {
            var values = new KeyValues("--object", "qom-type", text);
            String type = values.takeRequired("qom-type");
            if (!TYPES.contains(type)) {
                throw new UserErrorException("--object: '%s' is not supported. The nearest that is: %s."
                        .formatted(type, Suggestion.nearest(type, TYPES)));
            }
            objects = objects.with(type, values);
        }
        return objects;
    }

    /// These and one more.
    ///
    /// @param type   one of [#TYPES]
    /// @param values the rest of the option
    public HostObjects with(String type, KeyValues values) {
        String id = values.takeRequired("id");
        return type.equals("secret")
                ? new HostObjects(secrets.with(id, secret(id, values)), network)
                : new HostObjects(secrets, network.with(id, credentials(values)));
    }

    /// These, and leave for images to name served disks as the layers below them.
    public HostObjects allowingNetworkBacking() {
        return new HostObjects(secrets, network.allowingImages());
    }

    /// The way to images with these.
    public ImageAccess access() {
        return new ImageAccess().withSecrets(secrets).withNetwork(network);
    }

    private static TlsCredentials credentials(KeyValues values) {
        Path folder = Path.of(values.takeRequired("dir"));
        String endpoint = values.take("endpoint").orElse("client");
        boolean verify = values.takeSwitch("verify-peer", true);
        values.end(Set.of("id", "dir", "endpoint", "verify-peer"));
        return switch (endpoint) {
            case "client" -> TlsCredentials.ofClient(folder, verify);
            case "server" -> TlsCredentials.ofServer(folder, verify);
            default ->
                throw new UserErrorException("--object: endpoint=%s is neither client nor server.".formatted(endpoint));
        };
    }

    private static byte[] secret(String id, KeyValues values) {
        Optional<String> file = values.take("file");
        Optional<String> data = values.take("data");
        String format = values.take("format").orElse("raw");
        values.end(Set.of("id", "file", "data", "format"));
        if (file.isPresent() == data.isPresent()) {
            throw new UserErrorException("--object: secret %s needs either file=… or data=….".formatted(id));
        }
        byte[] content = file.isPresent()
                ? read(Path.of(file.get()))
                : data.orElseThrow().getBytes(StandardCharsets.UTF_8);
        return decode(id, content, format);
    }

    private static byte[] read(Path file) {
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw new UserErrorException("--object: cannot read secret file %s: %s".formatted(file, e.getMessage()), e);
        }
    }

    private static byte[] decode(String id, byte[] content, String format) {
        return switch (format) {
            case "raw" -> content;
            case "base64" -> {
                try {
                    yield Base64.getMimeDecoder().decode(content);
                } catch (IllegalArgumentException e) {
                    throw new UserErrorException("--object: secret %s is not base64.".formatted(id), e);
                }
            }
            default -> throw new UserErrorException("--object: format=%s is neither raw nor base64.".formatted(format));
        };
    }
}
