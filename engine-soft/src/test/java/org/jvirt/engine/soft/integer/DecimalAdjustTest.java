package org.jvirt.engine.soft.integer;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.jvirt.engine.soft.cpu.Flags;

class DecimalAdjustTest {
    private final Flags flags = new Flags();

    @Test
    void packedAdditionGivesDecimalSums() {
        for (int a = 0; a < 100; a++) {
            for (int b = 0; b < 100; b++) {
                for (int carry = 0; carry < 2; carry++) {
                    flags.unpack(carry);
                    int sum = DecimalAdjust.daa(flags, flags.adc8(packed(a), packed(b)));
                    assertThat(sum).isEqualTo(packed((a + b + carry) % 100));
                    assertThat(flags.cf()).isEqualTo(a + b + carry >= 100);
                    assertThat(flags.zf()).isEqualTo(sum == 0);
                    assertThat(flags.sf()).isEqualTo(sum >= 0x80);
                    assertThat(flags.pf()).isEqualTo(Integer.bitCount(sum) % 2 == 0);
                }
            }
        }
    }

    @Test
    void packedSubtractionGivesDecimalDifferences() {
        for (int a = 0; a < 100; a++) {
            for (int b = 0; b < 100; b++) {
                for (int borrow = 0; borrow < 2; borrow++) {
                    flags.unpack(borrow);
                    int difference = DecimalAdjust.das(flags, flags.sbb8(packed(a), packed(b)));
                    assertThat(difference).isEqualTo(packed((a - b - borrow + 100) % 100));
                    assertThat(flags.cf()).isEqualTo(a - b - borrow < 0);
                }
            }
        }
    }

    /// Step by step as the manual writes them, for values that are no decimal digits too.
    @Test
    void allInputsOfDaaAndDasFollowTheManual() {
        for (int al = 0; al < 256; al++) {
            for (int bits : new int[] {0, Flags.CF, Flags.AF, Flags.CF | Flags.AF}) {
                boolean oldCarry = (bits & Flags.CF) != 0;
                boolean low = (al & 15) > 9 || (bits & Flags.AF) != 0;
                flags.unpack(bits);
                int add = al;
                if (low) {
                    add += 6;
                }
                boolean high = al > 0x99 || oldCarry;
                if (high) {
                    add += 0x60;
                }
                assertThat(DecimalAdjust.daa(flags, al)).isEqualTo(add & 0xFF);
                assertThat(flags.cf()).isEqualTo(high);
                assertThat(flags.af()).isEqualTo(low);

                flags.unpack(bits);
                int subtract = al;
                boolean carry = false;
                if (low) {
                    carry = oldCarry || subtract < 6;
                    subtract = subtract - 6 & 0xFF;
                }
                if (high) {
                    subtract = subtract - 0x60 & 0xFF;
                    carry = true;
                }
                assertThat(DecimalAdjust.das(flags, al)).isEqualTo(subtract);
                assertThat(flags.cf()).isEqualTo(carry);
                assertThat(flags.af()).isEqualTo(low);
            }
        }
    }

    @Test
    void unpackedAdditionAndSubtractionCarryIntoAh() {
        for (int a = 0; a < 10; a++) {
            for (int b = 0; b < 10; b++) {
                int sum = 0x0300 | flags.add8(a, b);
                assertThat(DecimalAdjust.aaa(flags, sum)).isEqualTo((a + b) % 10 | (a + b >= 10 ? 4 : 3) << 8);
                assertThat(flags.cf()).isEqualTo(a + b >= 10);
                assertThat(flags.af()).isEqualTo(a + b >= 10);
                int difference = 0x0300 | flags.sub8(a, b);
                assertThat(DecimalAdjust.aas(flags, difference)).isEqualTo((a - b + 10) % 10 | (a < b ? 2 : 3) << 8);
                assertThat(flags.cf()).isEqualTo(a < b);
            }
        }
    }

    @Test
    void multiplicationAndDivisionConvertDigits() {
        for (int al = 0; al < 256; al++) {
            for (int base = 1; base < 256; base++) {
                int ax = DecimalAdjust.aam(flags, al, base);
                assertThat(ax).isEqualTo(al / base << 8 | al % base);
                assertThat(DecimalAdjust.aad(flags, ax, base)).isEqualTo(al);
                assertThat(flags.zf()).isEqualTo(al == 0);
            }
        }
    }

    private static int packed(int value) {
        return value / 10 << 4 | value % 10;
    }
}
