package org.jvirt.images.luks;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.format.CreateOption;
import org.jvirt.images.format.CreateOption.Kind;

/// How a new volume is to be encrypted, with QEMU's defaults.
///
/// @param iterationMillis how long it should take to try a passphrase
public record LuksOptions(CipherSpec cipher, LuksHash hash, long iterationMillis) {
    private static final long DEFAULT_ITERATION_MILLIS = 2000;
    /// More could not be opened again: [LuksHeader#MOST_ITERATIONS].
    private static final long MOST_ITERATION_MILLIS = 60_000;

    public LuksOptions {
        if (iterationMillis < 1 || iterationMillis > MOST_ITERATION_MILLIS) {
            throw new UserErrorException(
                    "iter-time must be from 1 to %d ms, not %d".formatted(MOST_ITERATION_MILLIS, iterationMillis));
        }
    }

    /// @param options by the names of [#createOptions]; others are not looked at
    /// @param prefix  before every name: `encrypt.` in qcow2, empty in LUKS itself
    /// @throws UserErrorException if a value is not supported
    public static LuksOptions parse(Map<String, String> options, String prefix) {
        String ivHash = options.get(prefix + "ivgen-hash-alg");
        return new LuksOptions(
                CipherSpec.fromOptions(
                        options.getOrDefault(prefix + "cipher-alg", "aes-256"),
                        options.getOrDefault(prefix + "cipher-mode", "xts"),
                        options.getOrDefault(prefix + "ivgen-alg", "plain64"),
                        ivHash,
                        "luks options"),
                LuksHash.require(options.getOrDefault(prefix + "hash-alg", "sha256"), "luks options"),
                iterationMillis(options.get(prefix + "iter-time")));
    }

    static long iterationMillis(@Nullable String value) {
        if (value == null) {
            return DEFAULT_ITERATION_MILLIS;
        }
        try {
            return Long.parseLong(value);
        } catch (NumberFormatException e) {
            throw new UserErrorException("iter-time must be a number of milliseconds, not '%s'".formatted(value), e);
        }
    }

    /// What [#parse] understands, and the name of the passphrase.
    public static List<CreateOption> createOptions(String prefix) {
        List<CreateOption> options = new ArrayList<>();
        options.add(new CreateOption(prefix + "cipher-alg", Kind.TEXT, "Name of encryption cipher algorithm"));
        options.add(new CreateOption(prefix + "cipher-mode", Kind.TEXT, "Name of encryption cipher mode"));
        options.add(new CreateOption(prefix + "hash-alg", Kind.TEXT, "Name of encryption hash algorithm"));
        options.add(new CreateOption(prefix + "iter-time", Kind.NUMBER, "Time to spend in PBKDF in milliseconds"));
        options.add(new CreateOption(prefix + "ivgen-alg", Kind.TEXT, "Name of IV generator algorithm"));
        options.add(new CreateOption(prefix + "ivgen-hash-alg", Kind.TEXT, "Name of IV generator hash algorithm"));
        options.add(new CreateOption(
                prefix + "key-secret", Kind.TEXT, "ID of the secret that provides the keyslot passphrase"));
        return options;
    }

    /// How many bytes a volume with such a key has before its content.
    public long headerBytes() {
        return LuksVolume.SLOTS_OFFSET + LuksHeader.SLOTS * LuksVolume.slotStride(cipher.keyBytes());
    }
}
