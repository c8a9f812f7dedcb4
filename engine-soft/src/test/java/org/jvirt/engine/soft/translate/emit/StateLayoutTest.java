package org.jvirt.engine.soft.translate.emit;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class StateLayoutTest {
    /// What is a number or a size, or a place within something.
    private static final Pattern NO_PLACE = Pattern.compile(
            "TO_.*|.*_NUMBER|.*_BYTES|.*_BITS|.*_FACTOR|SITE_.*|TARGET_.*|CODE_PAGE_.*|CONTEXTS|JUMP_TABLES|.*_ENTRIES"
                    + "|WALK_SLOTS|LOG|MOST_.*|.*_REGIONS|DELTAS|SIZE|STACK|SITES_OF_A_KIND");

    private static final int SMALLEST_BYTES = 4;

    @Test
    void noTwoThingsAreAtTheSamePlace() throws IllegalAccessException {
        Map<Integer, String> places = new TreeMap<>();
        for (Field field : StateLayout.class.getDeclaredFields()) {
            if (Modifier.isStatic(field.getModifiers())
                    && field.getType() == int.class
                    && !NO_PLACE.matcher(field.getName()).matches()) {
                field.setAccessible(true);
                assertThat(places.put(field.getInt(null), field.getName()))
                        .as("what else is where %s is", field.getName())
                        .isNull();
            }
        }
        int end = 0;
        String before = "";
        for (Map.Entry<Integer, String> place : places.entrySet()) {
            assertThat(place.getKey())
                    .as("%s, behind %s", place.getValue(), before)
                    .isGreaterThanOrEqualTo(end);
            end = place.getKey() + SMALLEST_BYTES;
            before = place.getValue();
        }
        assertThat(places.size()).isGreaterThan(50);
        assertThat(StateLayout.LOCAL_GENERATION + 8).isLessThanOrEqualTo(StateLayout.RIGHTS_CHANGED);
    }
}
