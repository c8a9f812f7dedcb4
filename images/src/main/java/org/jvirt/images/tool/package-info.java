/// What is done with images as a whole, whatever their formats: what `jvirt img` and block jobs are made of.
///
/// ```
/// ImageCopy        convert: reads, looks for zeroes and writes with several threads
/// ImageComparison  compare
/// ImageCommit      moves a layer's content into the one below
/// ImageRebase      puts other layers below an image without changing what it reads as
/// ChainMap         where each byte of a chain of layers lies
/// ImageBench       speed of plain requests
/// ```
@NullMarked
package org.jvirt.images.tool;

import org.jspecify.annotations.NullMarked;
