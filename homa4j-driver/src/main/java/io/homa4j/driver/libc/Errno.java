package io.homa4j.driver.libc;

/** Error numbers of Linux, positive, and their names for people. */
public final class Errno {
    public static final int EPERM = 1;
    public static final int ENOENT = 2;
    public static final int EINTR = 4;
    public static final int EIO = 5;
    public static final int ENXIO = 6;
    public static final int EAGAIN = 11;
    public static final int ENOMEM = 12;
    public static final int EACCES = 13;
    public static final int EBUSY = 16;
    public static final int EEXIST = 17;
    public static final int ENODEV = 19;
    public static final int EINVAL = 22;
    public static final int ENFILE = 23;
    public static final int EMFILE = 24;
    public static final int ENOSYS = 38;
    public static final int EPROTO = 71;
    public static final int EMSGSIZE = 90;
    public static final int ENOPROTOOPT = 92;
    public static final int EPROTONOSUPPORT = 93;
    public static final int EOPNOTSUPP = 95;
    public static final int EAFNOSUPPORT = 97;
    public static final int EADDRINUSE = 98;
    public static final int EADDRNOTAVAIL = 99;
    public static final int ENETDOWN = 100;
    public static final int ENETUNREACH = 101;
    public static final int ENOBUFS = 105;
    public static final int ECONNREFUSED = 111;
    public static final int EHOSTDOWN = 112;
    public static final int EHOSTUNREACH = 113;

    private Errno() {}

    /**
     * What a failed call says, for an error line.
     *
     * @param result of a method of {@link Libc}, negative
     */
    public static String text(int result) {
        return switch (-result) {
            case EPERM -> "operation not permitted (EPERM)";
            case EACCES -> "permission denied (EACCES)";
            case EIO -> "input/output error (EIO)";
            case ENOMEM -> "out of memory (ENOMEM)";
            case EBUSY -> "device or resource busy (EBUSY)";
            case ENODEV -> "no such device (ENODEV)";
            case EOPNOTSUPP -> "operation not supported (EOPNOTSUPP)";
            case ENOBUFS -> "no buffer space available (ENOBUFS)";
            case EINVAL -> "invalid argument (EINVAL)";
            case ENFILE, EMFILE -> "too many open files (EMFILE)";
            case ENOSYS -> "the kernel does not have this system call (ENOSYS)";
            case EMSGSIZE -> "message too long (EMSGSIZE)";
            case ENOPROTOOPT -> "the kernel does not have this option (ENOPROTOOPT)";
            case EPROTONOSUPPORT, EAFNOSUPPORT -> "the kernel does not have this protocol (EAFNOSUPPORT)";
            case EADDRINUSE -> "address in use (EADDRINUSE)";
            case EADDRNOTAVAIL -> "this host does not have that address (EADDRNOTAVAIL)";
            case ENETDOWN -> "the network is down (ENETDOWN)";
            case ENETUNREACH -> "the network is unreachable (ENETUNREACH)";
            case ECONNREFUSED -> "connection refused (ECONNREFUSED)";
            case EHOSTUNREACH -> "no route to host (EHOSTUNREACH)";
            default -> "error " + -result;
        };
    }
}
