package org.jvirt.cli.img;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jvirt.cli.launch.KeyValues;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.Secrets;

/// Reads `--object secret,…` as QEMU does.
final class SecretObject {
    private SecretObject() {}

    static Secrets all(List<String> objects) {
        Secrets secrets = Secrets.none();
        for (String text : objects) {
            var values = new KeyValues("--object", "qom-type", text);
            String type = values.takeRequired("qom-type");
            if (!type.equals("secret")) {
                throw new UserErrorException(
                        "--object: '%s' is not supported. The nearest that is: secret.".formatted(type));
            }
            String id = values.takeRequired("id");
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
            secrets = secrets.with(id, decode(id, content, format));
        }
        return secrets;
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
