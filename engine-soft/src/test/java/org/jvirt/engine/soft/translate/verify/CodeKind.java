package org.jvirt.engine.soft.translate.verify;

import org.jvirt.x86.CodeSize;

/// What a program runs as.
enum CodeKind {
    USER64(CodeSize.CODE64, Layout.USER_CODE64, Layout.USER_DATA),
    SUPERVISOR64(CodeSize.CODE64, Layout.CODE64, Layout.DATA_SELECTOR),
    USER32(CodeSize.CODE32, Layout.USER_CODE32, Layout.USER_DATA),
    SUPERVISOR32(CodeSize.CODE32, Layout.CODE32, Layout.DATA_SELECTOR);

    final CodeSize codeSize;
    final int cs;
    final int ss;

    CodeKind(CodeSize codeSize, int cs, int ss) {
        this.codeSize = codeSize;
        this.cs = cs;
        this.ss = ss;
    }

    boolean user() {
        return this == USER64 || this == USER32;
    }

    boolean long64() {
        return codeSize.isLong();
    }
}
