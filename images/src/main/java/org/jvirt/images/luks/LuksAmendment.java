package org.jvirt.images.luks;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.format.CreateOption;
import org.jvirt.images.format.CreateOption.Kind;
import org.jvirt.images.format.ImageOpener;

/// A change of key slots, by the names of `qemu-img amend`: a new passphrase in a free slot (`state=active`), or
/// slots erased by number or passphrase (`state=inactive`). The last key is never erased.
///
/// @param active  whether a key is set or erased
/// @param slot    which one; if not said, a free one, or all that open with the old passphrase
public record LuksAmendment(
        boolean active, OptionalInt slot, Optional<byte[]> newKey, Optional<byte[]> oldKey, long iterationMillis) {

    /// What [#parse] understands.
    public static List<CreateOption> options(String prefix) {
        return List.of(
                new CreateOption(prefix + "iter-time", Kind.NUMBER, "Time to spend in PBKDF in milliseconds"),
                new CreateOption(prefix + "keyslot", Kind.NUMBER, "Select a single keyslot to modify explicitly"),
                new CreateOption(
                        prefix + "new-secret",
                        Kind.TEXT,
                        "New secret to set in the matching keyslots. Empty string to erase"),
                new CreateOption(prefix + "old-secret", Kind.TEXT, "Select all keyslots that match this password"),
                new CreateOption(
                        prefix + "state", Kind.TEXT, "Select new state of affected keyslots (active/inactive)"));
    }

    /// @throws UserErrorException if the options do not fit together
    public static LuksAmendment parse(Map<String, String> options, String prefix, ImageOpener opener) {
        String state = options.get(prefix + "state");
        if (state == null || !state.equals("active") && !state.equals("inactive")) {
            throw new UserErrorException("%sstate must be active or inactive".formatted(prefix));
        }
        boolean active = state.equals("active");
        Optional<byte[]> newKey =
                Optional.ofNullable(options.get(prefix + "new-secret")).map(opener::secret);
        Optional<byte[]> oldKey =
                Optional.ofNullable(options.get(prefix + "old-secret")).map(opener::secret);
        if (active && newKey.isEmpty()) {
            throw new UserErrorException("%sstate=active needs %snew-secret".formatted(prefix, prefix));
        }
        if (active ? oldKey.isPresent() : newKey.isPresent()) {
            throw new UserErrorException("%sstate=%s does not go with %s%s"
                    .formatted(prefix, state, prefix, active ? "old-secret" : "new-secret"));
        }
        String slot = options.get(prefix + "keyslot");
        if (!active && (slot == null) == oldKey.isEmpty()) {
            throw new UserErrorException(
                    "%sstate=inactive needs either %skeyslot or %sold-secret".formatted(prefix, prefix, prefix));
        }
        return new LuksAmendment(
                active,
                slot == null ? OptionalInt.empty() : OptionalInt.of(slotNumber(slot)),
                newKey,
                oldKey,
                LuksOptions.iterationMillis(options.get(prefix + "iter-time")));
    }

    private static int slotNumber(String text) {
        if (text.length() == 1 && text.charAt(0) >= '0' && text.charAt(0) < '0' + LuksHeader.SLOTS) {
            return text.charAt(0) - '0';
        }
        throw new UserErrorException("keyslot must be from 0 to %d, not '%s'".formatted(LuksHeader.SLOTS - 1, text));
    }

    /// @param name of the image, for messages
    public void apply(LuksVolume volume, String name) throws IOException {
        if (active) {
            add(volume, name);
        } else {
            erase(volume, name);
        }
    }

    private void add(LuksVolume volume, String name) throws IOException {
        OptionalInt target = slot.isPresent() ? slot : volume.freeSlot();
        int index = target.orElseThrow(
                () -> new UserErrorException("%s: all key slots are in use; erase one first".formatted(name)));
        if (volume.header().slots().get(index).active()) {
            throw new UserErrorException("%s: key slot %d is in use; erase it first".formatted(name, index));
        }
        volume.setKey(index, newKey.orElseThrow(), iterationMillis);
    }

    private void erase(LuksVolume volume, String name) throws IOException {
        List<Integer> active = new ArrayList<>();
        List<Integer> chosen = new ArrayList<>();
        for (int i = 0; i < LuksHeader.SLOTS; i++) {
            if (volume.header().slots().get(i).active()) {
                active.add(i);
                if (slot.isPresent() ? slot.getAsInt() == i : volume.opens(i, oldKey.orElseThrow())) {
                    chosen.add(i);
                }
            }
        }
        if (chosen.isEmpty()) {
            throw new UserErrorException("%s: no active key slot is the one to erase".formatted(name));
        }
        if (chosen.size() == active.size()) {
            throw new UserErrorException(
                    "%s: this would erase the last key, and with it all content; add another first".formatted(name));
        }
        for (int index : chosen) {
            volume.eraseKey(index);
        }
    }
}
