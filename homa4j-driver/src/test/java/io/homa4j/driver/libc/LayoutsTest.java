package io.homa4j.driver.libc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Layouts and numbers are those of the C headers: as written down here, and as a C compiler has them where there is one. */
class LayoutsTest {
    private static final Map<String, Long> OURS = new LinkedHashMap<>();

    private static void is(String inC, long ours) {
        OURS.put(inC, ours);
    }

    static {
        is("sizeof(struct mmsghdr)", MessageHeader.SIZE);
        is("offsetof(struct mmsghdr, msg_hdr.msg_name)", MessageHeader.NAME);
        is("offsetof(struct mmsghdr, msg_hdr.msg_namelen)", MessageHeader.NAME_LENGTH);
        is("offsetof(struct mmsghdr, msg_hdr.msg_iov)", MessageHeader.VECTOR);
        is("offsetof(struct mmsghdr, msg_hdr.msg_iovlen)", MessageHeader.VECTOR_COUNT);
        is("offsetof(struct mmsghdr, msg_hdr.msg_control)", MessageHeader.CONTROL);
        is("offsetof(struct mmsghdr, msg_hdr.msg_controllen)", MessageHeader.CONTROL_LENGTH);
        is("offsetof(struct mmsghdr, msg_hdr.msg_flags)", MessageHeader.FLAGS);
        is("offsetof(struct mmsghdr, msg_len)", MessageHeader.TRANSFERRED);
        is("sizeof(struct iovec)", IoVector.SIZE);
        is("offsetof(struct iovec, iov_base)", IoVector.BASE);
        is("offsetof(struct iovec, iov_len)", IoVector.LENGTH);
        is("sizeof(struct cmsghdr)", ControlMessage.DATA);
        is("offsetof(struct cmsghdr, cmsg_len)", ControlMessage.LENGTH);
        is("offsetof(struct cmsghdr, cmsg_level)", ControlMessage.LEVEL);
        is("offsetof(struct cmsghdr, cmsg_type)", ControlMessage.TYPE);
        is("CMSG_SPACE(4)", ControlMessage.space(4));
        is("CMSG_SPACE(20)", ControlMessage.space(20));
        is("CMSG_LEN(2)", ControlMessage.length(2));
        is("sizeof(struct in_pktinfo)", ControlMessage.PKTINFO_SIZE);
        is("offsetof(struct in_pktinfo, ipi_spec_dst)", ControlMessage.PKTINFO_LOCAL);
        is("sizeof(struct in6_pktinfo)", ControlMessage.PKTINFO6_SIZE);
        is("offsetof(struct in6_pktinfo, ipi6_addr)", ControlMessage.PKTINFO6_LOCAL);
        is("sizeof(struct sock_extended_err)", ControlMessage.ERROR_SIZE);
        is("offsetof(struct sock_extended_err, ee_errno)", ControlMessage.ERROR_NUMBER);
        is("offsetof(struct sock_extended_err, ee_origin)", ControlMessage.ERROR_ORIGIN);
        is("offsetof(struct sock_extended_err, ee_type)", ControlMessage.ERROR_TYPE);
        is("offsetof(struct sock_extended_err, ee_code)", ControlMessage.ERROR_CODE);
        is("offsetof(struct sock_extended_err, ee_info)", ControlMessage.ERROR_INFO);
        is("SO_EE_ORIGIN_LOCAL", ControlMessage.ORIGIN_LOCAL);
        is("SO_EE_ORIGIN_ICMP", ControlMessage.ORIGIN_ICMP);
        is("SO_EE_ORIGIN_ICMP6", ControlMessage.ORIGIN_ICMPV6);
        is("sizeof(struct epoll_event)", EpollEvent.SIZE);
        is("offsetof(struct epoll_event, events)", EpollEvent.EVENTS);
        is("offsetof(struct epoll_event, data)", EpollEvent.DATA);
        is("EPOLLIN", EpollEvent.EPOLLIN);
        is("EPOLLOUT", EpollEvent.EPOLLOUT);
        is("EPOLLERR", EpollEvent.EPOLLERR);
        is("EPOLL_CTL_ADD", EpollEvent.EPOLL_CTL_ADD);
        is("EPOLL_CTL_DEL", EpollEvent.EPOLL_CTL_DEL);
        is("EPOLL_CTL_MOD", EpollEvent.EPOLL_CTL_MOD);
        is("sizeof(struct timespec)", TimeSpec.SIZE);
        is("offsetof(struct timespec, tv_sec)", TimeSpec.SECONDS);
        is("offsetof(struct timespec, tv_nsec)", TimeSpec.NANOSECONDS);
        is("sizeof(struct sockaddr_in)", SocketAddress.SIZE_IPV4);
        is("offsetof(struct sockaddr_in, sin_family)", SocketAddress.FAMILY);
        is("offsetof(struct sockaddr_in, sin_port)", SocketAddress.PORT);
        is("offsetof(struct sockaddr_in, sin_addr)", SocketAddress.ADDRESS_IPV4);
        is("sizeof(struct sockaddr_in6)", SocketAddress.SIZE_IPV6);
        is("offsetof(struct sockaddr_in6, sin6_port)", SocketAddress.PORT);
        is("offsetof(struct sockaddr_in6, sin6_flowinfo)", SocketAddress.FLOW_IPV6);
        is("offsetof(struct sockaddr_in6, sin6_addr)", SocketAddress.ADDRESS_IPV6);
        is("offsetof(struct sockaddr_in6, sin6_scope_id)", SocketAddress.SCOPE_IPV6);
        is("AF_INET", Socket.AF_INET);
        is("AF_INET6", Socket.AF_INET6);
        is("SOCK_DGRAM", Socket.SOCK_DGRAM);
        is("SOCK_RAW", Socket.SOCK_RAW);
        is("SOCK_NONBLOCK", Socket.SOCK_NONBLOCK);
        is("SOCK_CLOEXEC", Socket.SOCK_CLOEXEC);
        is("MSG_DONTWAIT", Socket.MSG_DONTWAIT);
        is("MSG_ERRQUEUE", Socket.MSG_ERRQUEUE);
        is("MSG_TRUNC", Socket.MSG_TRUNC);
        is("SOL_SOCKET", Socket.SOL_SOCKET);
        is("SO_SNDBUF", Socket.SO_SNDBUF);
        is("SO_RCVBUF", Socket.SO_RCVBUF);
        is("SO_ATTACH_FILTER", Socket.SO_ATTACH_FILTER);
        is("SO_RCVBUFFORCE", Socket.SO_RCVBUFFORCE);
        is("SO_RXQ_OVFL", Socket.SO_RXQ_OVFL);
        is("IPPROTO_IP", Socket.IPPROTO_IP);
        is("IPPROTO_ICMP", Socket.IPPROTO_ICMP);
        is("IP_TOS", Socket.IP_TOS);
        is("IP_PKTINFO", Socket.IP_PKTINFO);
        is("IP_MTU_DISCOVER", Socket.IP_MTU_DISCOVER);
        is("IP_RECVERR", Socket.IP_RECVERR);
        is("IP_PMTUDISC_DO", Socket.IP_PMTUDISC_DO);
        is("IPPROTO_UDP", Socket.IPPROTO_UDP);
        is("UDP_SEGMENT", Socket.UDP_SEGMENT);
        is("UDP_GRO", Socket.UDP_GRO);
        is("IPPROTO_IPV6", Socket.IPPROTO_IPV6);
        is("IPPROTO_ICMPV6", Socket.IPPROTO_ICMPV6);
        is("IPV6_MTU_DISCOVER", Socket.IPV6_MTU_DISCOVER);
        is("IPV6_RECVERR", Socket.IPV6_RECVERR);
        is("IPV6_V6ONLY", Socket.IPV6_V6ONLY);
        is("IPV6_RECVPKTINFO", Socket.IPV6_RECVPKTINFO);
        is("IPV6_PKTINFO", Socket.IPV6_PKTINFO);
        is("IPV6_TCLASS", Socket.IPV6_TCLASS);
        is("SIOCOUTQ", Socket.SIOCOUTQ);
        is("sizeof(struct sock_filter)", SocketFilter.SIZE);
        is("offsetof(struct sock_filter, code)", SocketFilter.CODE);
        is("offsetof(struct sock_filter, jt)", SocketFilter.JUMP_TRUE);
        is("offsetof(struct sock_filter, jf)", SocketFilter.JUMP_FALSE);
        is("offsetof(struct sock_filter, k)", SocketFilter.OPERAND);
        is("BPF_MAXINSNS", SocketFilter.MAX_INSTRUCTIONS);
        is("BPF_LDX | BPF_B | BPF_MSH", SocketFilter.LOAD_IPV4_HEADER_LENGTH);
        is("BPF_LD | BPF_H | BPF_ABS", SocketFilter.LOAD_16_AT);
        is("BPF_LD | BPF_H | BPF_IND", SocketFilter.LOAD_16_BEHIND_X);
        is("BPF_JMP | BPF_JEQ | BPF_K", SocketFilter.JUMP_IF_EQUAL);
        is("BPF_RET | BPF_K", SocketFilter.RETURN);
        is("sizeof(struct sock_fprog)", SocketFilter.PROGRAM_SIZE);
        is("offsetof(struct sock_fprog, len)", SocketFilter.PROGRAM_LENGTH);
        is("offsetof(struct sock_fprog, filter)", SocketFilter.PROGRAM_INSTRUCTIONS);
        is("EPERM", Errno.EPERM);
        is("EINTR", Errno.EINTR);
        is("EIO", Errno.EIO);
        is("EAGAIN", Errno.EAGAIN);
        is("ENOMEM", Errno.ENOMEM);
        is("EACCES", Errno.EACCES);
        is("EINVAL", Errno.EINVAL);
        is("ENFILE", Errno.ENFILE);
        is("EMFILE", Errno.EMFILE);
        is("ENOSYS", Errno.ENOSYS);
        is("EPROTO", Errno.EPROTO);
        is("EMSGSIZE", Errno.EMSGSIZE);
        is("ENOPROTOOPT", Errno.ENOPROTOOPT);
        is("EPROTONOSUPPORT", Errno.EPROTONOSUPPORT);
        is("EOPNOTSUPP", Errno.EOPNOTSUPP);
        is("EAFNOSUPPORT", Errno.EAFNOSUPPORT);
        is("EADDRINUSE", Errno.EADDRINUSE);
        is("EADDRNOTAVAIL", Errno.EADDRNOTAVAIL);
        is("ENETDOWN", Errno.ENETDOWN);
        is("ENETUNREACH", Errno.ENETUNREACH);
        is("ENOBUFS", Errno.ENOBUFS);
        is("ECONNREFUSED", Errno.ECONNREFUSED);
        is("EHOSTDOWN", Errno.EHOSTDOWN);
        is("EHOSTUNREACH", Errno.EHOSTUNREACH);
    }

    @Test
    void sizesAreThoseOf64BitLinux() {
        assertThat(OURS)
                .containsEntry("sizeof(struct mmsghdr)", 64L)
                .containsEntry("offsetof(struct mmsghdr, msg_hdr.msg_iov)", 16L)
                .containsEntry("offsetof(struct mmsghdr, msg_hdr.msg_control)", 32L)
                .containsEntry("offsetof(struct mmsghdr, msg_len)", 56L)
                .containsEntry("CMSG_SPACE(4)", 24L)
                .containsEntry("CMSG_SPACE(20)", 40L)
                .containsEntry("CMSG_LEN(2)", 18L)
                .containsEntry("sizeof(struct sockaddr_in6)", 28L);
        assertThat(EpollEvent.SIZE).isEqualTo(System.getProperty("os.arch").equals("amd64") ? 12 : 16);
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void aCCompilerSaysTheSame(@TempDir Path folder) throws Exception {
        assumeTrue(canRun("cc", "--version"), "there is no C compiler");
        StringBuilder program = new StringBuilder("""
                #define _GNU_SOURCE
                #include <stddef.h>
                #include <stdio.h>
                #include <errno.h>
                #include <time.h>
                #include <sys/epoll.h>
                #include <sys/ioctl.h>
                #include <sys/socket.h>
                #include <sys/uio.h>
                #include <netinet/in.h>
                #include <netinet/udp.h>
                #include <linux/errqueue.h>
                #include <linux/filter.h>
                #include <linux/sockios.h>
                #ifndef UDP_SEGMENT
                #define UDP_SEGMENT 103
                #endif
                #ifndef UDP_GRO
                #define UDP_GRO 104
                #endif
                int main(void) {
                """);
        OURS.keySet()
                .forEach(inC -> program.append("printf(\"%ld\\n\", (long) (")
                        .append(inC)
                        .append("));\n"));
        program.append("}\n");
        Files.writeString(folder.resolve("layouts.c"), program);
        assertThat(lines(folder, "cc", "layouts.c", "-o", "layouts")).isEmpty();
        List<String> theirs = lines(folder, "./layouts");
        Map<String, Long> compiled = new LinkedHashMap<>();
        OURS.keySet().forEach(inC -> compiled.put(inC, Long.parseLong(theirs.get(compiled.size()))));
        assertThat(OURS).isEqualTo(compiled);
    }

    private static boolean canRun(String... words) throws InterruptedException {
        try {
            return new ProcessBuilder(words)
                            .redirectErrorStream(true)
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException e) {
            return false;
        }
    }

    private static List<String> lines(Path folder, String... words) throws Exception {
        Process process = new ProcessBuilder(words)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
        assertThat(process.exitValue()).as(output).isZero();
        return output.lines().toList();
    }
}
