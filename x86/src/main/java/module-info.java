/// The x86 instruction vocabulary: one opcode table, and the decoder, disassembler and assembler made from it.
module org.jvirt.x86 {
    requires static transitive org.jspecify;

    exports org.jvirt.x86;
}
