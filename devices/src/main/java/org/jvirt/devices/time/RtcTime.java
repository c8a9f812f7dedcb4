package org.jvirt.devices.time;

import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZoneOffset;

/// The ten clock registers of an MC146818, between seconds since 1970 and the forms register B asks for.
final class RtcTime {
    static final int SECONDS = 0;
    static final int SECONDS_ALARM = 1;
    static final int MINUTES = 2;
    static final int MINUTES_ALARM = 3;
    static final int HOURS = 4;
    static final int HOURS_ALARM = 5;
    static final int DAY_OF_WEEK = 6;
    static final int DAY_OF_MONTH = 7;
    static final int MONTH = 8;
    static final int YEAR = 9;
    static final int CENTURY = 0x32;

    /// Register B.
    static final int B_24H = 2;

    static final int B_BINARY = 4;

    private static final int PM = 0x80;
    private static final long DAY_SECONDS = 86_400;

    private RtcTime() {}

    static boolean isClock(int register) {
        return register == SECONDS
                || register == MINUTES
                || register == HOURS
                || register >= DAY_OF_WEEK && register <= YEAR
                || register == CENTURY;
    }

    /// Writes the clock registers for a time.
    ///
    /// @param dayShift how many days the day-of-week register is ahead of the calendar
    static void encode(byte[] cmos, int registerB, long seconds, int dayShift) {
        LocalDateTime time = LocalDateTime.ofEpochSecond(seconds, 0, ZoneOffset.UTC);
        cmos[SECONDS] = number(registerB, time.getSecond());
        cmos[MINUTES] = number(registerB, time.getMinute());
        cmos[HOURS] = hours(registerB, time.getHour());
        cmos[DAY_OF_WEEK] = number(registerB, Math.floorMod(calendarDay(seconds) + dayShift, 7) + 1);
        cmos[DAY_OF_MONTH] = number(registerB, time.getDayOfMonth());
        cmos[MONTH] = number(registerB, time.getMonthValue());
        cmos[YEAR] = number(registerB, Math.floorMod(time.getYear(), 100));
        cmos[CENTURY] = number(registerB, Math.floorMod(Math.floorDiv(time.getYear(), 100), 100));
    }

    /// 0 is Sunday.
    private static int calendarDay(long seconds) {
        return Math.floorMod(Math.floorDiv(seconds, DAY_SECONDS) + 4, 7);
    }

    /// What the clock registers say; fields out of range carry over, so that any content has a meaning.
    static long decode(byte[] cmos, int registerB) {
        int year = value(registerB, cmos[CENTURY]) * 100 + value(registerB, cmos[YEAR]);
        LocalDate date = LocalDate.of(year, 1, 1)
                .plusMonths(value(registerB, cmos[MONTH]) - 1L)
                .plusDays(value(registerB, cmos[DAY_OF_MONTH]) - 1L);
        return date.toEpochDay() * DAY_SECONDS
                + hour(registerB, cmos[HOURS]) * 3600L
                + value(registerB, cmos[MINUTES]) * 60L
                + value(registerB, cmos[SECONDS]);
    }

    /// How far the day-of-week register is ahead of the calendar, 0–6.
    static int dayShift(byte[] cmos, int registerB, long seconds) {
        return Math.floorMod(value(registerB, cmos[DAY_OF_WEEK]) - 1 - calendarDay(seconds), 7);
    }

    /// The first second after `after` that the alarm registers name, or [Long#MAX_VALUE].
    static long nextAlarm(byte[] cmos, int registerB, long after) {
        long from = after + 1;
        long day = Math.floorDiv(from, DAY_SECONDS) * DAY_SECONDS;
        int hourAlarm = isAny(cmos[HOURS_ALARM]) ? -1 : hour(registerB, cmos[HOURS_ALARM]);
        int minuteAlarm = isAny(cmos[MINUTES_ALARM]) ? -1 : value(registerB, cmos[MINUTES_ALARM]);
        int secondAlarm = isAny(cmos[SECONDS_ALARM]) ? -1 : value(registerB, cmos[SECONDS_ALARM]);
        for (int hour = 0; hour < 48; hour++) {
            if (hourAlarm >= 0 && hour % 24 != hourAlarm || day + (hour + 1) * 3600L <= from) {
                continue;
            }
            for (int minute = 0; minute < 60; minute++) {
                long start = day + hour * 3600L + minute * 60L;
                if (minuteAlarm >= 0 && minute != minuteAlarm || start + 60 <= from) {
                    continue;
                }
                if (secondAlarm < 0) {
                    return Math.max(start, from);
                }
                if (secondAlarm < 60 && start + secondAlarm >= from) {
                    return start + secondAlarm;
                }
            }
        }
        return Long.MAX_VALUE;
    }

    private static boolean isAny(byte alarm) {
        return (alarm & 0xc0) == 0xc0;
    }

    private static byte number(int registerB, int value) {
        return (byte) ((registerB & B_BINARY) != 0 ? value : value / 10 << 4 | value % 10);
    }

    private static int value(int registerB, int raw) {
        int bits = raw & 0xff;
        return (registerB & B_BINARY) != 0 ? bits : (bits >> 4) * 10 + (bits & 15);
    }

    private static byte hours(int registerB, int hour) {
        if ((registerB & B_24H) != 0) {
            return number(registerB, hour);
        }
        int shown = hour % 12 == 0 ? 12 : hour % 12;
        return (byte) (number(registerB, shown) | (hour >= 12 ? PM : 0));
    }

    private static int hour(int registerB, int raw) {
        if ((registerB & B_24H) != 0) {
            return value(registerB, raw);
        }
        return value(registerB, raw & ~PM & 0xff) % 12 + ((raw & PM) != 0 ? 12 : 0);
    }
}
