package org.jvirt.images.nbd;

/// The numbers of the protocol, by the names of its document (`doc/proto.md`, "Values").
public final class Nbd {
    public static final long NBDMAGIC = 0x4e42_444d_4147_4943L;
    public static final long IHAVEOPT = 0x4948_4156_454f_5054L;
    public static final long OPTION_REPLY_MAGIC = 0x0003_e889_0455_65a9L;
    public static final int REQUEST_MAGIC = 0x2560_9513;
    public static final int SIMPLE_REPLY_MAGIC = 0x6744_6698;
    public static final int STRUCTURED_REPLY_MAGIC = 0x668e_33ef;

    // Handshake flags, and those of the client.
    public static final int FLAG_FIXED_NEWSTYLE = 1;
    public static final int FLAG_NO_ZEROES = 1 << 1;

    // Transmission flags.
    public static final int FLAG_HAS_FLAGS = 1;
    public static final int FLAG_READ_ONLY = 1 << 1;
    public static final int FLAG_SEND_FLUSH = 1 << 2;
    public static final int FLAG_SEND_FUA = 1 << 3;
    public static final int FLAG_ROTATIONAL = 1 << 4;
    public static final int FLAG_SEND_TRIM = 1 << 5;
    public static final int FLAG_SEND_WRITE_ZEROES = 1 << 6;
    public static final int FLAG_SEND_DF = 1 << 7;
    public static final int FLAG_CAN_MULTI_CONN = 1 << 8;
    public static final int FLAG_SEND_RESIZE = 1 << 9;
    public static final int FLAG_SEND_CACHE = 1 << 10;
    public static final int FLAG_SEND_FAST_ZERO = 1 << 11;

    // Options.
    public static final int OPT_EXPORT_NAME = 1;
    public static final int OPT_ABORT = 2;
    public static final int OPT_LIST = 3;
    public static final int OPT_STARTTLS = 5;
    public static final int OPT_INFO = 6;
    public static final int OPT_GO = 7;
    public static final int OPT_STRUCTURED_REPLY = 8;
    public static final int OPT_LIST_META_CONTEXT = 9;
    public static final int OPT_SET_META_CONTEXT = 10;

    // Replies to options.
    public static final int REP_ACK = 1;
    public static final int REP_SERVER = 2;
    public static final int REP_INFO = 3;
    public static final int REP_META_CONTEXT = 4;
    public static final int REP_FLAG_ERROR = 1 << 31;
    public static final int REP_ERR_UNSUP = REP_FLAG_ERROR + 1;
    public static final int REP_ERR_POLICY = REP_FLAG_ERROR + 2;
    public static final int REP_ERR_INVALID = REP_FLAG_ERROR + 3;
    public static final int REP_ERR_TLS_REQD = REP_FLAG_ERROR + 5;
    public static final int REP_ERR_UNKNOWN = REP_FLAG_ERROR + 6;
    public static final int REP_ERR_SHUTDOWN = REP_FLAG_ERROR + 7;
    public static final int REP_ERR_BLOCK_SIZE_REQD = REP_FLAG_ERROR + 8;
    public static final int REP_ERR_TOO_BIG = REP_FLAG_ERROR + 9;

    // Kinds of information.
    public static final int INFO_EXPORT = 0;
    public static final int INFO_NAME = 1;
    public static final int INFO_DESCRIPTION = 2;
    public static final int INFO_BLOCK_SIZE = 3;

    // Requests.
    public static final int CMD_READ = 0;
    public static final int CMD_WRITE = 1;
    public static final int CMD_DISC = 2;
    public static final int CMD_FLUSH = 3;
    public static final int CMD_TRIM = 4;
    public static final int CMD_CACHE = 5;
    public static final int CMD_WRITE_ZEROES = 6;
    public static final int CMD_BLOCK_STATUS = 7;

    public static final int CMD_FLAG_FUA = 1;
    public static final int CMD_FLAG_NO_HOLE = 1 << 1;
    public static final int CMD_FLAG_DF = 1 << 2;
    public static final int CMD_FLAG_REQ_ONE = 1 << 3;
    public static final int CMD_FLAG_FAST_ZERO = 1 << 4;

    // Structured replies.
    public static final int REPLY_FLAG_DONE = 1;
    public static final int REPLY_TYPE_NONE = 0;
    public static final int REPLY_TYPE_OFFSET_DATA = 1;
    public static final int REPLY_TYPE_OFFSET_HOLE = 2;
    public static final int REPLY_TYPE_BLOCK_STATUS = 5;
    public static final int REPLY_TYPE_ERROR = 0x8001;
    public static final int REPLY_TYPE_ERROR_OFFSET = 0x8002;
    public static final int REPLY_TYPE_FLAG_ERROR = 0x8000;

    // Errors.
    public static final int EPERM = 1;
    public static final int EIO = 5;
    public static final int ENOMEM = 12;
    public static final int EINVAL = 22;
    public static final int ENOSPC = 28;
    public static final int EOVERFLOW = 75;
    public static final int ENOTSUP = 95;
    public static final int ESHUTDOWN = 108;

    /// What may be asked of an export's blocks: whether they have space, and whether they are zeroes.
    public static final String BASE_ALLOCATION = "base:allocation";
    public static final int STATE_HOLE = 1;
    public static final int STATE_ZERO = 1 << 1;

    /// The longest name or text, in bytes ("Strings").
    public static final int MAX_STRING_BYTES = 4096;
    /// The most data of one read or write: what the document asks portable clients to keep to ("Size constraints").
    public static final int MAX_PAYLOAD_BYTES = 32 << 20;
    /// The largest disk that has a number of sectors.
    public static final long MAX_DISK_BYTES = Long.MAX_VALUE & -512L;

    static final int REQUEST_BYTES = 28;

    private Nbd() {}

    /// An error as a person reads it.
    static String describe(int error) {
        return switch (error) {
            case EPERM -> "not permitted (EPERM)";
            case EIO -> "input/output error (EIO)";
            case ENOMEM -> "out of memory (ENOMEM)";
            case EINVAL -> "invalid request (EINVAL)";
            case ENOSPC -> "no space left (ENOSPC)";
            case EOVERFLOW -> "reply too large (EOVERFLOW)";
            case ENOTSUP -> "not supported (ENOTSUP)";
            case ESHUTDOWN -> "the server is shutting down (ESHUTDOWN)";
            default -> "error " + Integer.toUnsignedString(error);
        };
    }
}
