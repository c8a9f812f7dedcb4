package org.jvirt.cli.launch;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jvirt.core.UserErrorException;

/// The value of an option made of keys: `first,key=value,flag,…`, where `,,` stands for a comma. Not thread-safe.
public final class KeyValues {
    private final String option;
    private final Map<String, String> values = new LinkedHashMap<>();

    /// @param option   the option's name, for messages
    /// @param implied  the key of a first part without `=`
    public KeyValues(String option, String implied, String text) {
        this.option = option;
        List<String> parts = split(text);
        for (int i = 0; i < parts.size(); i++) {
            String part = parts.get(i);
            int equals = part.indexOf('=');
            if (equals > 0) {
                values.put(part.substring(0, equals), part.substring(equals + 1));
            } else if (i == 0 && !implied.isEmpty()) {
                values.put(implied, part);
            } else if (part.startsWith("no") && part.length() > 2) {
                values.put(part.substring(2), "off");
            } else if (!part.isEmpty()) {
                values.put(part, "on");
            }
        }
    }

    private static List<String> split(String text) {
        var parts = new ArrayList<String>();
        var part = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c != ',') {
                part.append(c);
            } else if (i + 1 < text.length() && text.charAt(i + 1) == ',') {
                part.append(',');
                i++;
            } else {
                parts.add(part.toString());
                part.setLength(0);
            }
        }
        parts.add(part.toString());
        return parts;
    }

    public Optional<String> take(String key) {
        return Optional.ofNullable(values.remove(key));
    }

    public String takeRequired(String key) {
        return take(key).orElseThrow(() -> new UserErrorException("%s: %s=… is missing.".formatted(option, key)));
    }

    public boolean takeSwitch(String key, boolean otherwise) {
        Optional<String> value = take(key);
        if (value.isEmpty()) {
            return otherwise;
        }
        return switch (value.get()) {
            case "on", "yes", "true", "y" -> true;
            case "off", "no", "false", "n" -> false;
            default ->
                throw new UserErrorException("%s: %s takes on or off, not '%s'.".formatted(option, key, value.get()));
        };
    }

    public int takeNumber(String key, int otherwise) {
        Optional<String> value = take(key);
        if (value.isEmpty()) {
            return otherwise;
        }
        try {
            return Integer.decode(value.get());
        } catch (NumberFormatException e) {
            throw new UserErrorException("%s: %s takes a number, not '%s'.".formatted(option, key, value.get()), e);
        }
    }

    /// Passes over keys that ask for nothing that matters here.
    public void ignore(Set<String> keys) {
        values.keySet().removeAll(keys);
    }

    /// Refuses whatever has not been taken.
    public void end(Set<String> known) {
        if (!values.isEmpty()) {
            String key = values.keySet().iterator().next();
            throw new UserErrorException("%s: '%s' is not supported. The nearest that is: %s."
                    .formatted(option, key, Suggestion.nearest(key, known)));
        }
    }
}
