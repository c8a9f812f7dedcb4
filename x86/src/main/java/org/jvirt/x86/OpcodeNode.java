package org.jvirt.x86;

import org.jspecify.annotations.Nullable;

/// The second level of the decoder's lookup: all rows that share map and opcode byte in a mode, spread over exactly
/// the further bits that tell them apart. Most nodes hold a single row.
final class OpcodeNode {
    private static final int CELLS = OpcodeMap.VEX_0F3A.ordinal() * 256 + 256;

    /// Whether a ModRM byte follows (equal for all rows of a node).
    final boolean modRm;
    /// Strides in [#rows]; 0 where the bit does not matter.
    private final int prefixStride;
    private final int sizeStride;
    private final int wideStride;
    private final int lengthStride;
    private final int rexBStride;
    /// 0 no matter, 1 only mod = 3 or not, 2 also reg, 3 also rm.
    private final int modRmDetail;

    private final @Nullable OpcodeRow[] rows;

    private OpcodeNode(
            boolean modRm,
            int prefixStride,
            int sizeStride,
            int wideStride,
            int lengthStride,
            int rexBStride,
            int modRmDetail,
            @Nullable OpcodeRow[] rows) {
        this.modRm = modRm;
        this.prefixStride = prefixStride;
        this.sizeStride = sizeStride;
        this.wideStride = wideStride;
        this.lengthStride = lengthStride;
        this.rexBStride = rexBStride;
        this.modRmDetail = modRmDetail;
        this.rows = rows;
    }

    /// The row, or null when there is none.
    ///
    /// @param prefix 0 none, 1 66, 2 F3, 3 F2
    /// @param operandSize 2, 4 or 8
    @Nullable
    OpcodeRow row(int prefix, int operandSize, int wide, int vexL, int rexB, int modRmByte) {
        if (rows.length == 1) {
            return rows[0];
        }
        int at = prefix * prefixStride
                + (operandSize >> 2) * sizeStride
                + wide * wideStride
                + vexL * lengthStride
                + rexB * rexBStride;
        return rows[at + modRmIndex(modRmDetail, modRmByte)];
    }

    private static int modRmIndex(int detail, int modRm) {
        return switch (detail) {
            case 0 -> 0;
            case 1 -> modRm >= 0xC0 ? 1 : 0;
            case 2 -> (modRm >> 3 & 7) + (modRm >= 0xC0 ? 8 : 0);
            default -> modRm >= 0xC0 ? 8 + (modRm & 0x3F) : modRm >> 3 & 7;
        };
    }

    private static int modRmCount(int detail) {
        return switch (detail) {
            case 0 -> 1;
            case 1 -> 2;
            case 2 -> 16;
            default -> 72;
        };
    }

    /// The nodes of 64-bit mode, indexed by map × 256 + opcode; null where no row is.
    static @Nullable OpcodeNode[] build(OpcodeRow[] all) {
        return build(all, true, new @Nullable OpcodeNode[CELLS]);
    }

    /// The nodes of 16- and 32-bit code; those that do not differ are shared.
    static @Nullable OpcodeNode[] buildLegacy(OpcodeRow[] all, @Nullable OpcodeNode[] longNodes) {
        return build(all, false, longNodes);
    }

    private static @Nullable OpcodeNode[] build(OpcodeRow[] all, boolean longMode, @Nullable OpcodeNode[] shared) {
        int[] head = new int[CELLS];
        boolean[] differs = new boolean[CELLS];
        int[] next = new int[2 * all.length];
        OpcodeRow[] row = new OpcodeRow[2 * all.length];
        int used = 0;
        for (int i = all.length - 1; i >= 0; i--) {
            OpcodeRow candidate = all[i];
            int first = candidate.map.ordinal() << 8 | candidate.opcode;
            int spread = candidate.lowBits && candidate.exactModRm < 0 ? 8 : 1;
            boolean dependsOnMode = dependsOnMode(candidate);
            for (int cell = first; cell < first + spread; cell++) {
                if (dependsOnMode) {
                    differs[cell] = true;
                    if (!validIn(candidate, longMode)) {
                        continue;
                    }
                }
                used++;
                row[used] = candidate;
                next[used] = head[cell];
                head[cell] = used;
            }
        }
        @Nullable OpcodeNode[] nodes = new @Nullable OpcodeNode[CELLS];
        OpcodeRow[] group = new OpcodeRow[128];
        for (int cell = 0; cell < CELLS; cell++) {
            if (!longMode && !differs[cell]) {
                nodes[cell] = shared[cell];
                continue;
            }
            int count = 0;
            for (int at = head[cell]; at != 0; at = next[at]) {
                group[count++] = row[at];
            }
            if (count > 0) {
                nodes[cell] = node(group, count, longMode);
            }
        }
        return nodes;
    }

    private static boolean dependsOnMode(OpcodeRow row) {
        return (row.attributeBits & (RowAttributes.ONLY64 | RowAttributes.INVALID64)) != 0
                || row.map.isVex() && row.attributes.w >= 0 && generalRegister(row);
    }

    private static boolean validIn(OpcodeRow row, boolean longMode) {
        int forbidden = longMode ? RowAttributes.INVALID64 : RowAttributes.ONLY64;
        return (row.attributeBits & forbidden) == 0 && (longMode || !needs64(row));
    }

    /// A W1 row for a 64-bit general register: W is ignored outside 64-bit mode, where its W0 sibling stands for
    /// both.
    private static boolean needs64(OpcodeRow row) {
        return row.map.isVex() && row.attributes.w == 1 && generalRegister(row);
    }

    private static boolean generalRegister(OpcodeRow row) {
        for (OperandSpec spec : row.operands) {
            if (spec.method == OperandSpec.Method.E) {
                return true;
            }
        }
        return false;
    }

    private static int wide(OpcodeRow row, boolean longMode) {
        return !longMode && row.map.isVex() && generalRegister(row) ? -1 : row.attributes.w;
    }

    private static OpcodeNode node(OpcodeRow[] group, int count, boolean longMode) {
        boolean modRm = group[0].modRm;
        boolean prefix = false;
        boolean size = false;
        boolean wide = false;
        boolean length = false;
        boolean rexB = false;
        int detail = 0;
        for (int i = 0; i < count; i++) {
            OpcodeRow row = group[i];
            if (row.modRm != modRm) {
                throw new IllegalStateException("opcode table: ModRM differs: " + group[0] + ", " + row);
            }
            prefix |= row.prefix != OpcodeRow.ANY_PREFIX;
            size |= row.attributes.operandSizes != 0;
            wide |= wide(row, longMode) >= 0;
            length |= row.attributes.l >= 0;
            rexB |= row.attributes.has(RowAttributes.REX_B0);
            int rowDetail = 0;
            if (row.exactModRm >= 0) {
                rowDetail = 3;
            } else if (row.digit >= 0) {
                rowDetail = 2;
            } else if (row.modRm && (!row.memoryForm || !row.registerForm) && !modAny(row)) {
                rowDetail = 1;
            }
            detail = Math.max(detail, rowDetail);
        }
        int total = modRmCount(detail);
        int prefixStride = 0;
        int sizeStride = 0;
        int wideStride = 0;
        int lengthStride = 0;
        int rexBStride = 0;
        if (prefix) {
            prefixStride = total;
            total *= 4;
        }
        if (size) {
            sizeStride = total;
            total *= 3;
        }
        if (wide) {
            wideStride = total;
            total *= 2;
        }
        if (length) {
            lengthStride = total;
            total *= 2;
        }
        if (rexB) {
            rexBStride = total;
            total *= 2;
        }
        @Nullable OpcodeRow[] rows = new @Nullable OpcodeRow[total];
        OpcodeNode node =
                new OpcodeNode(modRm, prefixStride, sizeStride, wideStride, lengthStride, rexBStride, detail, rows);
        for (int i = 0; i < count; i++) {
            node.place(group[i], longMode);
        }
        return node;
    }

    private static boolean modAny(OpcodeRow row) {
        return row.attributes.has(RowAttributes.MOD_ANY);
    }

    private static int specificity(OpcodeRow row) {
        int score = switch (row.prefix) {
            case OpcodeRow.ANY_PREFIX -> 0;
            case OpcodeRow.NO_REPEAT -> 4;
            default -> 8;
        };
        if (row.exactModRm >= 0 && !row.lowBits) {
            score += 3;
        } else if (row.exactModRm >= 0) {
            score += 2;
        } else if (row.digit >= 0) {
            score += 1;
        }
        return row.attributes.has(RowAttributes.REX_B0) ? score + 32 : score;
    }

    private void place(OpcodeRow row, boolean longMode) {
        int wide = wide(row, longMode);
        if (rows.length == modRmCount(modRmDetail)) {
            placeModRm(0, row);
            return;
        }
        for (int b = 0; b < (rexBStride == 0 ? 1 : 2); b++) {
            if (b == 1 && row.attributes.has(RowAttributes.REX_B0)) {
                continue;
            }
            for (int l = 0; l < (lengthStride == 0 ? 1 : 2); l++) {
                if (lengthStride != 0 && row.attributes.l >= 0 && row.attributes.l != l) {
                    continue;
                }
                for (int w = 0; w < (wideStride == 0 ? 1 : 2); w++) {
                    if (wideStride != 0 && wide >= 0 && wide != w) {
                        continue;
                    }
                    for (int s = 0; s < (sizeStride == 0 ? 1 : 3); s++) {
                        int sizes = row.attributes.operandSizes;
                        if (sizeStride != 0 && sizes != 0 && (sizes & 2 << s) == 0) {
                            continue;
                        }
                        for (int p = 0; p < (prefixStride == 0 ? 1 : 4); p++) {
                            if (prefixStride != 0 && !prefixFits(row, p)) {
                                continue;
                            }
                            int at = b * rexBStride
                                    + l * lengthStride
                                    + w * wideStride
                                    + s * sizeStride
                                    + p * prefixStride;
                            placeModRm(at, row);
                        }
                    }
                }
            }
        }
    }

    private static boolean prefixFits(OpcodeRow row, int prefix) {
        return switch (row.prefix) {
            case OpcodeRow.ANY_PREFIX -> true;
            case OpcodeRow.NO_REPEAT -> prefix < 2;
            default -> row.prefix == prefix;
        };
    }

    /// Fills all ModRM cells that belong to the row.
    private void placeModRm(int at, OpcodeRow row) {
        boolean anyMod = modAny(row);
        switch (modRmDetail) {
            case 0 -> put(at, row);
            case 1 -> {
                if (anyMod || row.memoryForm) {
                    put(at, row);
                }
                if (anyMod || row.registerForm) {
                    put(at + 1, row);
                }
            }
            default -> {
                boolean rm = modRmDetail == 3;
                if (row.exactModRm >= 0) {
                    int first = at + 8 + (row.exactModRm & 0x3F);
                    fill(first, first + (row.lowBits ? 8 : 1), row);
                    return;
                }
                int from = Math.max(row.digit, 0);
                int to = row.digit < 0 ? 8 : row.digit + 1;
                if (anyMod || row.memoryForm) {
                    fill(at + from, at + to, row);
                }
                if (anyMod || row.registerForm) {
                    fill(at + 8 + (rm ? 8 * from : from), at + 8 + (rm ? 8 * to : to), row);
                }
            }
        }
    }

    private void fill(int from, int to, OpcodeRow row) {
        for (int i = from; i < to; i++) {
            put(i, row);
        }
    }

    private void put(int at, OpcodeRow row) {
        OpcodeRow old = rows[at];
        if (old != null) {
            int difference = specificity(old) - specificity(row);
            if (difference == 0) {
                throw new IllegalStateException("opcode table: rows collide: " + old + " and " + row);
            }
            if (difference > 0) {
                return;
            }
        }
        rows[at] = row;
    }
}
