package org.jvirt.images.luks;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.jvirt.core.UserErrorException;

/// How sectors are encrypted.
///
/// @param aesKeyBytes 16, 24 or 32
/// @param ivHash      of [Iv#ESSIV]
public record CipherSpec(int aesKeyBytes, Mode mode, Iv iv, Optional<LuksHash> ivHash) {
    private static final List<String> FOREIGN =
            List.of("serpent", "twofish", "cast5", "cast6", "camellia", "3des", "des3_ede", "blowfish", "aria");

    /// How blocks of a sector are chained.
    public enum Mode {
        XTS("xts"),
        CBC("cbc"),
        ECB("ecb");

        final String label;

        Mode(String label) {
            this.label = label;
        }
    }

    /// How the initial vector comes from the sector's number.
    public enum Iv {
        /// Its low 32 bits.
        PLAIN("plain"),
        PLAIN64("plain64"),
        /// Encrypted with a hash of the key.
        ESSIV("essiv");

        final String label;

        Iv(String label) {
            this.label = label;
        }
    }

    public CipherSpec {
        if ((iv == Iv.ESSIV) != ivHash.isPresent()) {
            throw new IllegalArgumentException("A hash belongs to essiv, and only to it");
        }
    }

    /// How long the key of a volume is.
    public int keyBytes() {
        return mode == Mode.XTS ? 2 * aesKeyBytes : aesKeyBytes;
    }

    /// As qemu-img names it: `aes-256`.
    public String algorithm() {
        return "aes-" + aesKeyBytes * 8;
    }

    /// As a header spells it: `cbc-essiv:sha256`.
    String modeSpec() {
        return mode.label + "-" + iv.label
                + ivHash.map(hash -> ":" + hash.hashName()).orElse("");
    }

    /// From what a header says.
    ///
    /// @param where the image, for messages
    /// @throws UserErrorException if it is not supported
    static CipherSpec fromHeader(String cipherName, String modeSpec, int keyBytes, String where) {
        if (!cipherName.equals("aes")) {
            throw unsupported(cipherName, where);
        }
        int dash = modeSpec.indexOf('-');
        String mode = dash < 0 ? modeSpec : modeSpec.substring(0, dash);
        String iv = dash < 0 ? "" : modeSpec.substring(dash + 1);
        if (dash < 0 && !mode.equals("ecb")) {
            throw new UserErrorException("%s: cipher mode '%s' names no IV generator".formatted(where, modeSpec));
        }
        int colon = iv.indexOf(':');
        Mode parsed = mode(mode, where);
        int aesKeyBytes = parsed == Mode.XTS ? keyBytes / 2 : keyBytes;
        if (parsed == Mode.XTS && keyBytes % 2 != 0 || aesKeyBytes != 16 && aesKeyBytes != 24 && aesKeyBytes != 32) {
            throw new UserErrorException(
                    "%s: a key of %d bytes does not fit aes in mode %s".formatted(where, keyBytes, parsed.label));
        }
        return of(
                aesKeyBytes,
                parsed,
                dash < 0 ? Iv.PLAIN64 : iv(colon < 0 ? iv : iv.substring(0, colon), where),
                colon < 0 ? null : LuksHash.require(iv.substring(colon + 1), where),
                where);
    }

    /// From what qemu-img's options say: `aes-256`, `xts`, `plain64`.
    ///
    /// @throws UserErrorException if it is not supported
    static CipherSpec fromOptions(
            String algorithm, String mode, String ivGenerator, @Nullable String ivHash, String where) {
        int aesKeyBytes = switch (algorithm) {
            case "aes-128" -> 16;
            case "aes-192" -> 24;
            case "aes-256" -> 32;
            default -> throw unsupported(algorithm, where);
        };
        return of(
                aesKeyBytes,
                mode(mode, where),
                iv(ivGenerator, where),
                ivHash == null ? null : LuksHash.require(ivHash, where),
                where);
    }

    private static CipherSpec of(int aesKeyBytes, Mode mode, Iv iv, @Nullable LuksHash hash, String where) {
        if (iv != Iv.ESSIV) {
            return new CipherSpec(aesKeyBytes, mode, iv, Optional.empty());
        }
        LuksHash ivHash = hash == null ? LuksHash.SHA256 : hash;
        int essivKeyBytes = ivHash.digestBytes();
        if (essivKeyBytes != 16 && essivKeyBytes != 24 && essivKeyBytes != 32) {
            throw new UserErrorException("%s: essiv with %s would need an AES key of %d bytes, which there is not"
                    .formatted(where, ivHash.hashName(), essivKeyBytes));
        }
        return new CipherSpec(aesKeyBytes, mode, iv, Optional.of(ivHash));
    }

    private static Mode mode(String name, String where) {
        return Arrays.stream(Mode.values())
                .filter(mode -> mode.label.equals(name))
                .findFirst()
                .orElseThrow(() -> new UserErrorException(
                        "%s: cipher mode '%s' is not supported; xts, cbc and ecb are".formatted(where, name)));
    }

    private static Iv iv(String name, String where) {
        return Arrays.stream(Iv.values())
                .filter(iv -> iv.label.equals(name))
                .findFirst()
                .orElseThrow(() -> new UserErrorException(
                        "%s: IV generator '%s' is not supported; plain, plain64 and essiv are".formatted(where, name)));
    }

    private static UserErrorException unsupported(String cipher, String where) {
        boolean known = FOREIGN.stream().anyMatch(cipher::startsWith);
        return new UserErrorException(
                known
                        ? "%s: cipher '%s' is not supported, because Java has no implementation of it; aes is"
                                .formatted(where, cipher)
                        : "%s: cipher '%s' is unknown; aes-128, aes-192 and aes-256 are supported"
                                .formatted(where, cipher));
    }
}
