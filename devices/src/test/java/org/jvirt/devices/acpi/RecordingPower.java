package org.jvirt.devices.acpi;

import java.util.ArrayList;
import java.util.List;
import org.jvirt.core.PowerControl;

/// Remembers what was asked.
public final class RecordingPower implements PowerControl {
    private final List<String> requests = new ArrayList<>();

    @Override
    public synchronized void powerOff() {
        requests.add("power off");
    }

    @Override
    public synchronized void reset() {
        requests.add("reset");
    }

    @Override
    public synchronized void exit(int exitCode) {
        requests.add("exit " + exitCode);
    }

    /// The requests since the last call.
    public synchronized List<String> take() {
        List<String> taken = List.copyOf(requests);
        requests.clear();
        return taken;
    }
}
