package org.jvirt.cli.img;

import java.util.Iterator;
import java.util.List;
import java.util.Map;

/// Maps, lists, strings, numbers and booleans as indented JSON (RFC 8259).
final class JsonText {
    private static final String INDENT = "    ";

    private JsonText() {}

    static String of(Object value) {
        var text = new StringBuilder();
        append(text, value, "");
        return text.toString();
    }

    private static void append(StringBuilder text, Object value, String indent) {
        switch (value) {
            case Map<?, ?> map -> appendMap(text, map, indent);
            case List<?> list -> appendList(text, list, indent);
            case Number number -> text.append(number);
            case Boolean bool -> text.append(bool);
            default -> appendString(text, value.toString());
        }
    }

    private static void appendMap(StringBuilder text, Map<?, ?> map, String indent) {
        String inner = indent + INDENT;
        text.append('{');
        for (Iterator<? extends Map.Entry<?, ?>> entries = map.entrySet().iterator(); entries.hasNext(); ) {
            Map.Entry<?, ?> entry = entries.next();
            text.append('\n').append(inner);
            appendString(text, entry.getKey().toString());
            text.append(": ");
            append(text, entry.getValue(), inner);
            text.append(entries.hasNext() ? "," : "\n" + indent);
        }
        text.append('}');
    }

    private static void appendList(StringBuilder text, List<?> list, String indent) {
        String inner = indent + INDENT;
        text.append('[');
        for (Iterator<?> elements = list.iterator(); elements.hasNext(); ) {
            text.append('\n').append(inner);
            append(text, elements.next(), inner);
            text.append(elements.hasNext() ? "," : "\n" + indent);
        }
        text.append(']');
    }

    private static void appendString(StringBuilder text, String string) {
        text.append('"');
        for (int i = 0; i < string.length(); i++) {
            char c = string.charAt(i);
            switch (c) {
                case '"' -> text.append("\\\"");
                case '\\' -> text.append("\\\\");
                case '\n' -> text.append("\\n");
                case '\r' -> text.append("\\r");
                case '\t' -> text.append("\\t");
                default -> {
                    if (c < 0x20 || Character.isSurrogate(c)) {
                        text.append("\\u%04x".formatted((int) c));
                    } else {
                        text.append(c);
                    }
                }
            }
        }
        text.append('"');
    }
}
