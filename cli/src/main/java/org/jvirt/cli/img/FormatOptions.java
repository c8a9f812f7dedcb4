package org.jvirt.cli.img;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jvirt.cli.launch.Suggestion;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.format.CreateOption;

/// The values of `-o`: `name=value,…`, given once or several times; two commas stand for one.
///
/// @param help whether the options are to be listed instead (`-o help`)
record FormatOptions(Map<String, String> values, boolean help) {
    private static final CreateOption SIZE = new CreateOption("size", CreateOption.Kind.SIZE, "Virtual disk size");

    static FormatOptions parse(List<String> texts) {
        var values = new LinkedHashMap<String, String>();
        boolean help = false;
        for (String text : texts) {
            for (String part : split(text)) {
                int equals = part.indexOf('=');
                if (part.equals("help") || part.equals("?")) {
                    help = true;
                } else if (equals > 0) {
                    values.put(part.substring(0, equals), part.substring(equals + 1));
                } else if (!part.isEmpty()) {
                    values.put(part, "on");
                }
            }
        }
        return new FormatOptions(values, help);
    }

    private static List<String> split(String text) {
        var parts = new ArrayList<String>();
        var part = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == ',' && i + 1 < text.length() && text.charAt(i + 1) == ',') {
                part.append(',');
                i++;
            } else if (c == ',') {
                parts.add(part.toString());
                part.setLength(0);
            } else {
                part.append(c);
            }
        }
        parts.add(part.toString());
        return parts;
    }

    /// Takes an option out.
    Optional<String> take(String name) {
        return Optional.ofNullable(values.remove(name));
    }

    /// @throws UserErrorException if one is not among `known`, or a size is none
    Map<String, String> checked(String format, List<CreateOption> known) {
        var checked = new LinkedHashMap<String, String>();
        values.forEach((name, value) -> {
            CreateOption option = known.stream()
                    .filter(each -> each.name().equals(name))
                    .findFirst()
                    .orElseThrow(() -> new UserErrorException(
                            "-o: %s images have no option '%s'.%s".formatted(format, name, nearest(name, known))));
            checked.put(
                    name,
                    option.kind() == CreateOption.Kind.SIZE
                            ? Long.toString(SizeText.parse("-o " + name, value))
                            : value);
        });
        return checked;
    }

    private static String nearest(String name, List<CreateOption> known) {
        return known.isEmpty()
                ? ""
                : " The nearest that they have: %s."
                        .formatted(Suggestion.nearest(
                                name, known.stream().map(CreateOption::name).toList()));
    }

    /// Lists what there is.
    static void print(PrintWriter out, String title, List<CreateOption> options) {
        out.println(title);
        List<CreateOption> all = new ArrayList<>(options);
        if (all.stream().noneMatch(option -> option.name().equals("size"))) {
            all.add(SIZE);
        }
        all.stream()
                .sorted(Comparator.comparing(CreateOption::name))
                .forEach(option -> out.println("  %-22s - %s"
                        .formatted(
                                "%s=<%s>".formatted(option.name(), option.kind().label()), option.help())));
    }
}
