package org.jvirt.images.format;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/// An image to be made.
///
/// @param sizeBytes of the disk
/// @param options   by the names of [FormatDriver#createOptions]; `backing_file` and `backing_fmt` are among them.
/// The
///                  caller has checked that the names exist; the driver checks the values
/// @param opener    opens what the options name: backing files, data files, secrets
public record CreateRequest(long sizeBytes, Map<String, String> options, ImageOpener opener) {
    public CreateRequest {
        options = Collections.unmodifiableMap(new LinkedHashMap<>(options));
    }
}
