package org.jvirt.images;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.UserErrorException;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.json.JsonFactory;

/// A JSON object as options: nested keys joined by dots, elements of lists numbered, null as no text.
final class JsonOptions {
    private static final int MAX_DEPTH = 32;

    private JsonOptions() {}

    /// @throws UserErrorException if it is no JSON object
    static Map<String, String> flatten(String json) {
        var options = new LinkedHashMap<String, String>();
        try (JsonParser parser = new JsonFactory().createParser(ObjectReadContext.empty(), json)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                throw new UserErrorException("Cannot read json:%s: it is not an object in braces".formatted(json));
            }
            members(parser, "", options, 0);
            if (parser.nextToken() != null) {
                throw new UserErrorException("Cannot read json:%s: something follows the object".formatted(json));
            }
        } catch (JacksonException e) {
            throw new UserErrorException("Cannot read json:%s: %s".formatted(json, e.getOriginalMessage()), e);
        }
        return options;
    }

    private static void members(JsonParser parser, String prefix, Map<String, String> into, int depth) {
        for (String name = parser.nextName(); name != null; name = parser.nextName()) {
            value(parser, parser.nextToken(), prefix + name, into, depth);
        }
    }

    private static void elements(JsonParser parser, String key, Map<String, String> into, int depth) {
        int index = 0;
        for (JsonToken token = parser.nextToken(); token != JsonToken.END_ARRAY; token = parser.nextToken()) {
            value(parser, token, key + "." + index, into, depth);
            index++;
        }
    }

    private static void value(
            JsonParser parser, @Nullable JsonToken token, String key, Map<String, String> into, int depth) {
        if (depth > MAX_DEPTH || token == null) {
            throw new UserErrorException("Cannot read json: options: they are nested too deeply or end too early");
        }
        if (token == JsonToken.START_OBJECT) {
            members(parser, key + ".", into, depth + 1);
        } else if (token == JsonToken.START_ARRAY) {
            elements(parser, key, into, depth + 1);
        } else if (token == JsonToken.VALUE_TRUE) {
            into.put(key, "on");
        } else if (token == JsonToken.VALUE_FALSE) {
            into.put(key, "off");
        } else if (token == JsonToken.VALUE_NULL) {
            into.put(key, "");
        } else {
            into.put(key, parser.getString());
        }
    }
}
