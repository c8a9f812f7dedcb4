package org.jvirt.images.luks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.format.CreateRequest;
import org.jvirt.images.format.DiskImage;
import org.jvirt.images.format.OpenRequest;
import org.jvirt.images.testing.MemoryFile;
import org.jvirt.images.testing.MemoryOpener;
import org.jvirt.images.testing.Peer;

class LuksTest {
    private static final long DISK_BYTES = 1 << 20;
    /// Gives every name as the passphrase.
    private static final MemoryOpener OPENER = new MemoryOpener(new LuksDriver());

    @TempDir
    Path folder;

    private static MemoryFile create(String... options) throws IOException {
        Map<String, String> all = new HashMap<>(Map.of("key-secret", "first", "iter-time", "5"));
        for (String option : options) {
            all.put(option.split("=")[0], option.split("=")[1]);
        }
        var file = new MemoryFile("disk.luks");
        new LuksDriver().create(file, new CreateRequest(DISK_BYTES, all, OPENER));
        return file;
    }

    private static DiskImage open(MemoryFile file, boolean readOnly, String passphrase) throws IOException {
        return new LuksDriver()
                .open(file, new OpenRequest(readOnly, true, false, Map.of("key-secret", passphrase), OPENER));
    }

    private boolean cryptsetupOpens(MemoryFile file, String passphrase) throws IOException {
        Peer.need("cryptsetup", "cryptsetup-bin");
        file.save(folder.resolve("volume"));
        List<String> command = List.of("cryptsetup", "open", "--test-passphrase", "--key-file", "-", "volume");
        return Peer.run(folder, passphrase, command).code() == 0;
    }

    @Test
    void keySlotsComeAndGoAsCryptsetupSeesThem() throws IOException {
        MemoryFile file = create();
        try (DiskImage image = open(file, false, "first")) {
            image.amend(Map.of("state", "active", "new-secret", "second", "iter-time", "5"), OPENER);
            image.amend(Map.of("state", "active", "new-secret", "third", "keyslot", "5", "iter-time", "5"), OPENER);
        }
        assertThat(cryptsetupOpens(file, "second")).isTrue();
        try (DiskImage image = open(file, false, "third")) {
            image.amend(Map.of("state", "inactive", "old-secret", "first"), OPENER);
            image.amend(Map.of("state", "inactive", "keyslot", "1"), OPENER);
            assertThatThrownBy(() -> image.amend(Map.of("state", "inactive", "keyslot", "5"), OPENER))
                    .isInstanceOf(UserErrorException.class)
                    .hasMessageContaining("last key");
        }
        assertThat(cryptsetupOpens(file, "first")).isFalse();
        assertThat(cryptsetupOpens(file, "third")).isTrue();
        assertThatThrownBy(() -> open(file, true, "second"))
                .isInstanceOf(UserErrorException.class)
                .hasMessageContaining("no key slot opens");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--cipher aes-xts-plain64 --key-size 256 --hash sha256",
                "--cipher aes-xts-plain64 --key-size 512 --hash sha512",
                "--cipher aes-cbc-essiv:sha256 --key-size 128 --hash sha1",
                "--cipher aes-cbc-plain --key-size 256 --hash sha384"
            })
    void weOpenWhatCryptsetupFormats(String options) throws IOException {
        Peer.need("cryptsetup", "cryptsetup-bin");
        Files.write(folder.resolve("volume"), new byte[4 << 20]);
        List<String> command = new ArrayList<>(List.of(
                "cryptsetup",
                "-q",
                "luksFormat",
                "--type",
                "luks1",
                "--pbkdf-force-iterations",
                "1000",
                "--key-file",
                "-"));
        command.addAll(List.of(options.split(" ")));
        command.add("volume");
        Peer.Result result = Peer.run(folder, "first", command);
        assertThat(result.code()).as(result.output()).isZero();
        MemoryFile file = MemoryFile.load(folder.resolve("volume"));
        try (DiskImage image = open(file, false, "first")) {
            byte[] bytes = "written".getBytes(StandardCharsets.UTF_8);
            image.write(100, List.of(MemorySegment.ofArray(bytes)));
            byte[] back = new byte[bytes.length];
            image.read(100, List.of(MemorySegment.ofArray(back)));
            assertThat(back).isEqualTo(bytes);
        }
        assertThat(cryptsetupOpens(file, "first")).isTrue();
    }

    /// Eight slots of 2^26 rounds would take minutes.
    @Test
    @Timeout(20)
    void aHeaderThatAsksForMinutesIsRefused() throws IOException {
        MemoryFile file = create();
        try (DiskImage image = open(file, false, "first")) {
            for (int slot = 1; slot < 8; slot++) {
                image.amend(
                        Map.of("state", "active", "new-secret", "other", "keyslot", "" + slot, "iter-time", "5"),
                        OPENER);
            }
        }
        for (int slot = 0; slot < 8; slot++) {
            ByteBuffer iterations = ByteBuffer.allocate(4).putInt(0, 1 << 26);
            file.write(208 + slot * 48L + 4, MemorySegment.ofBuffer(iterations));
        }
        assertThatThrownBy(() -> open(file, true, "wrong"))
                .isInstanceOf(UserErrorException.class)
                .hasMessageContaining("rounds of sha256")
                .hasMessageContaining("luksKillSlot");
    }

    @Test
    void theSlotIsFoundAmongEight() throws IOException {
        MemoryFile file = create();
        try (DiskImage image = open(file, false, "first")) {
            for (int slot = 1; slot < 8; slot++) {
                image.amend(
                        Map.of("state", "active", "new-secret", "key" + slot, "keyslot", "" + slot, "iter-time", "5"),
                        OPENER);
            }
        }
        for (String key : List.of("first", "key1", "key4", "key7")) {
            open(file, true, key).close();
        }
        assertThatThrownBy(() -> open(file, true, "key8")).hasMessageContaining("no key slot opens");
    }

    @Test
    void withoutPassphraseOnlyTheHeaderIsTold() throws IOException {
        MemoryFile file = create("cipher-alg=aes-128", "cipher-mode=cbc", "ivgen-alg=essiv");
        var request = new OpenRequest(true, true, false, Map.of(), OPENER);
        try (DiskImage image = new LuksDriver().open(file, request)) {
            assertThat(image.info().encrypted()).isTrue();
            assertThat(image.info().specific())
                    .containsEntry("cipher-alg", "aes-128")
                    .containsEntry("cipher-mode", "cbc")
                    .containsEntry("ivgen-alg", "essiv")
                    .containsEntry("ivgen-hash-alg", "sha256")
                    .containsEntry(
                            "payload-offset",
                            LuksOptions.parse(Map.of("cipher-alg", "aes-128", "cipher-mode", "cbc"), "")
                                    .headerBytes());
            assertThatThrownBy(() -> image.read(0, List.of(MemorySegment.ofArray(new byte[512]))))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("key-secret");
        }
    }

    @Test
    void ciphersThatJavaLacksAreRefusedByName() throws IOException {
        for (String cipher : List.of("serpent-256", "twofish-128", "cast5-128", "3des")) {
            assertThatThrownBy(() -> create("cipher-alg=" + cipher))
                    .isInstanceOf(UserErrorException.class)
                    .hasMessageContaining(cipher);
        }
        assertThatThrownBy(() -> create("hash-alg=ripemd160")).hasMessageContaining("ripemd160");
        assertThatThrownBy(() -> create("ivgen-alg=essiv", "ivgen-hash-alg=sha1"))
                .hasMessageContaining("20 bytes");
        MemoryFile file = create();
        file.write(8, MemorySegment.ofArray("serpent\0".getBytes(StandardCharsets.US_ASCII)));
        assertThatThrownBy(() -> open(file, true, "first"))
                .isInstanceOf(UserErrorException.class)
                .hasMessageContaining("serpent");
    }

    /// IEEE 1619-2007, vector 10 (AES-256, data unit 0xff), as far as one sector goes.
    @Test
    void xtsGivesTheStandardsCiphertext() {
        byte[] key = HexFormat.of()
                .parseHex("2718281828459045235360287471352662497757247093699959574966967627"
                        + "3141592653589793238462643383279502884197169399375105820974944592");
        byte[] plain = new byte[512];
        for (int i = 0; i < plain.length; i++) {
            plain[i] = (byte) i;
        }
        var spec = new CipherSpec(32, CipherSpec.Mode.XTS, CipherSpec.Iv.PLAIN64, Optional.empty());
        byte[] sealed = new byte[512];
        SectorCipher cipher = SectorCipher.of(spec, key);
        cipher.encrypt(0xff, MemorySegment.ofArray(plain), MemorySegment.ofArray(sealed));
        assertThat(HexFormat.of().formatHex(sealed, 0, 32))
                .isEqualTo("1c3b3a102f770386e4836c99e370cf9bea00803f5e482357a4ae12d414a3e63b");
        cipher.decrypt(0xff, MemorySegment.ofArray(sealed), MemorySegment.ofArray(sealed));
        assertThat(sealed).isEqualTo(plain);
    }

    /// RFC 7914 section 11, and RFC 6070.
    @Test
    void pbkdf2GivesTheStandardsKeys() {
        assertThat(HexFormat.of().formatHex(LuksHash.SHA256.pbkdf2(bytes("passwd"), bytes("salt"), 1, 64)))
                .isEqualTo("55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
                        + "49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783");
        assertThat(HexFormat.of().formatHex(LuksHash.SHA1.pbkdf2(bytes("password"), bytes("salt"), 4096, 20)))
                .isEqualTo("4b007901b765489abead49d926f721d065a429c1");
    }

    @Test
    void theLegacyQcowCipherTakesTheSectorAsItsVector() {
        byte[] plain = new byte[3 * 512];
        Arrays.fill(plain, (byte) 7);
        byte[] whole = new byte[plain.length];
        SectorCipher cipher = SectorCipher.ofLegacyQcow(bytes("pw"));
        cipher.encrypt(5, MemorySegment.ofArray(plain), MemorySegment.ofArray(whole));
        byte[] one = new byte[512];
        cipher.encrypt(6, MemorySegment.ofArray(plain).asSlice(0, 512), MemorySegment.ofArray(one));
        assertThat(Arrays.copyOfRange(whole, 512, 1024)).isEqualTo(one);
        assertThat(Arrays.copyOf(whole, 512)).isNotEqualTo(one);
        cipher.decrypt(5, MemorySegment.ofArray(whole), MemorySegment.ofArray(whole));
        assertThat(whole).isEqualTo(plain);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
