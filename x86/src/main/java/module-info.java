/// The x86 instruction vocabulary: opcode table, decoder, disassembler, assembler.
module org.jvirt.x86 {
    exports org.jvirt.x86;
    requires static org.jspecify;
}
