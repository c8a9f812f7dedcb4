package org.jvirt.images.fuzz;

import java.io.IOException;
import java.util.List;

/// Code that is given input by anybody. Implementations have a constructor without parameters, or with a text,
/// and are loaded by [CoverageLoader].
public interface FuzzTarget {
    /// Sound inputs to begin with.
    List<byte[]> seeds() throws IOException;

    /// @throws IOException if the input is refused, which is well, as is [org.jvirt.core.UserErrorException];
    ///                     anything else is a fault
    void run(byte[] input) throws IOException;
}
