package org.jvirt.images;

import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.format.ImageFormat;
import org.jvirt.images.nbd.NbdUri;

/// Where an image lies and what it is made of, as users and images spell it: a file name, `file:NAME`, the URI of a
/// served disk (`nbd://…`, [NbdUri]), or a tree of options, given as `json:{…}` or as
/// `driver=qcow2,file.filename=NAME`.
///
/// ```
/// driver=qcow2  encrypt.key-secret=sec0  file.driver=file  file.filename=NAME  backing.driver=…  backing.file.…
/// driver=raw    file.driver=nbd  file.server.type=unix  file.server.path=SOCKET  file.export=NAME
/// ```
///
/// @param text    as it was spelt, for messages
/// @param options the tree, keys joined by dots; just `filename` for a bare name
public record ImageReference(String text, Map<String, String> options) {
    public ImageReference {
        options = Collections.unmodifiableMap(new LinkedHashMap<>(options));
    }

    /// A name as a user gives it on a command line, or as an image spells it.
    ///
    /// @throws UserErrorException if it names no file
    public static ImageReference of(String text) {
        if (text.startsWith("json:")) {
            return new ImageReference(text, JsonOptions.flatten(text.substring("json:".length())));
        }
        if (text.startsWith("file:")) {
            return new ImageReference(text, Map.of("filename", text.substring("file:".length())));
        }
        if (NbdUri.is(text)) {
            var served = new LinkedHashMap<>(Map.of("file.driver", "nbd"));
            NbdUri.options(text).forEach((key, value) -> served.put("file." + key, value));
            return new ImageReference(text, served);
        }
        int colon = text.indexOf(':');
        int slash = text.indexOf('/');
        if (colon > 0 && (slash < 0 || colon < slash)) {
            throw new UserErrorException(
                    "Cannot open disk %s: '%s' is not a protocol that jvirt knows; for a file of this name write file:%s"
                            .formatted(text, text.substring(0, colon), text));
        }
        return new ImageReference(text, Map.of("filename", text));
    }

    public static ImageReference ofFile(Path path) {
        return new ImageReference(path.toString(), Map.of("filename", path.toString()));
    }

    /// What a bare name names; empty for a tree of options.
    Optional<String> fileName() {
        return options.size() == 1 ? Optional.ofNullable(options.get("filename")) : Optional.empty();
    }

    /// Whether a part of it is reached over the network.
    boolean network() {
        return options.entrySet().stream()
                .anyMatch(option -> option.getValue().equals("nbd")
                                && (option.getKey().equals("driver")
                                        || option.getKey().endsWith(".driver"))
                        || option.getKey().endsWith("filename") && NbdUri.is(option.getValue()));
    }

    /// The format, where the options state one.
    public Optional<ImageFormat> format() {
        return Optional.ofNullable(options.get("driver")).flatMap(ImageFormat::named);
    }
}
