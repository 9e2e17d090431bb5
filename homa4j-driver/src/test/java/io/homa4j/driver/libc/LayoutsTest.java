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
        is("(BPF_JMP | BPF_JEQ | BPF_K)", Bpf.JUMP_IF_EQUAL_IMMEDIATE);
        is("BPF_RET | BPF_K", SocketFilter.RETURN);
        is("sizeof(struct sock_fprog)", SocketFilter.PROGRAM_SIZE);
        is("offsetof(struct sock_fprog, len)", SocketFilter.PROGRAM_LENGTH);
        is("offsetof(struct sock_fprog, filter)", SocketFilter.PROGRAM_INSTRUCTIONS);
        is("XDP_MMAP_OFFSETS", Xdp.MMAP_OFFSETS);
        is("XDP_RX_RING", Xdp.RX_RING);
        is("XDP_TX_RING", Xdp.TX_RING);
        is("XDP_UMEM_REG", Xdp.UMEM_REG);
        is("XDP_UMEM_FILL_RING", Xdp.UMEM_FILL_RING);
        is("XDP_UMEM_COMPLETION_RING", Xdp.UMEM_COMPLETION_RING);
        is("XDP_STATISTICS", Xdp.STATISTICS);
        is("XDP_PGOFF_RX_RING", Xdp.PGOFF_RX_RING);
        is("XDP_PGOFF_TX_RING", Xdp.PGOFF_TX_RING);
        is("XDP_UMEM_PGOFF_FILL_RING", Xdp.PGOFF_FILL_RING);
        is("XDP_UMEM_PGOFF_COMPLETION_RING", Xdp.PGOFF_COMPLETION_RING);
        is("offsetof(struct xdp_umem_reg, addr)", Xdp.UMEM_ADDRESS);
        is("offsetof(struct xdp_umem_reg, len)", Xdp.UMEM_LENGTH);
        is("offsetof(struct xdp_umem_reg, chunk_size)", Xdp.UMEM_CHUNK_SIZE);
        is("offsetof(struct xdp_umem_reg, headroom)", Xdp.UMEM_HEADROOM);
        is("sizeof(struct xdp_umem_reg)", Xdp.UMEM_SIZE);
        is("sizeof(struct xdp_mmap_offsets)", Xdp.OFFSETS_SIZE);
        is("offsetof(struct xdp_mmap_offsets, rx)", Xdp.OFFSETS_RX);
        is("offsetof(struct xdp_mmap_offsets, tx)", Xdp.OFFSETS_TX);
        is("offsetof(struct xdp_mmap_offsets, fr)", Xdp.OFFSETS_FILL);
        is("offsetof(struct xdp_mmap_offsets, cr)", Xdp.OFFSETS_COMPLETION);
        is("offsetof(struct xdp_ring_offset, producer)", Xdp.OFFSET_PRODUCER);
        is("offsetof(struct xdp_ring_offset, consumer)", Xdp.OFFSET_CONSUMER);
        is("offsetof(struct xdp_ring_offset, desc)", Xdp.OFFSET_DESCRIPTORS);
        is("offsetof(struct xdp_ring_offset, flags)", Xdp.OFFSET_FLAGS);
        is("XDP_RING_NEED_WAKEUP", Xdp.RING_NEED_WAKEUP);
        is("sizeof(struct xdp_desc)", Xdp.DESCRIPTOR_SIZE);
        is("offsetof(struct xdp_desc, addr)", Xdp.DESCRIPTOR_ADDRESS);
        is("offsetof(struct xdp_desc, len)", Xdp.DESCRIPTOR_LENGTH);
        is("offsetof(struct xdp_desc, options)", Xdp.DESCRIPTOR_OPTIONS);
        is("sizeof(struct sockaddr_xdp)", Xdp.ADDRESS_SIZE);
        is("offsetof(struct sockaddr_xdp, sxdp_family)", Xdp.ADDRESS_FAMILY);
        is("offsetof(struct sockaddr_xdp, sxdp_flags)", Xdp.ADDRESS_FLAGS);
        is("offsetof(struct sockaddr_xdp, sxdp_ifindex)", Xdp.ADDRESS_INTERFACE);
        is("offsetof(struct sockaddr_xdp, sxdp_queue_id)", Xdp.ADDRESS_QUEUE);
        is("XDP_COPY", Xdp.COPY);
        is("XDP_ZEROCOPY", Xdp.ZEROCOPY);
        is("XDP_USE_NEED_WAKEUP", Xdp.USE_NEED_WAKEUP);
        is("sizeof(struct xdp_statistics)", Xdp.STATISTICS_SIZE);
        is("offsetof(struct xdp_statistics, rx_dropped)", Xdp.STATISTICS_DROPPED);
        is("offsetof(struct xdp_statistics, rx_invalid_descs)", Xdp.STATISTICS_INVALID_RX);
        is("offsetof(struct xdp_statistics, tx_invalid_descs)", Xdp.STATISTICS_INVALID_TX);
        is("offsetof(struct xdp_statistics, rx_ring_full)", Xdp.STATISTICS_RX_FULL);
        is("offsetof(struct xdp_statistics, rx_fill_ring_empty_descs)", Xdp.STATISTICS_FILL_EMPTY);
        is("XDP_PACKET_HEADROOM", Xdp.PACKET_HEADROOM);
        is("XDP_FLAGS_UPDATE_IF_NOEXIST", Xdp.FLAGS_UPDATE_IF_NOEXIST);
        is("XDP_FLAGS_SKB_MODE", Xdp.FLAGS_SKB_MODE);
        is("XDP_FLAGS_DRV_MODE", Xdp.FLAGS_DRV_MODE);
        is("XDP_FLAGS_REPLACE", Xdp.FLAGS_REPLACE);
        is("offsetof(struct xdp_md, data)", Xdp.CONTEXT_DATA);
        is("offsetof(struct xdp_md, data_end)", Xdp.CONTEXT_DATA_END);
        is("offsetof(struct xdp_md, rx_queue_index)", Xdp.CONTEXT_QUEUE);
        is("XDP_PASS", Xdp.PASS);
        is("BPF_MAP_CREATE", Bpf.MAP_CREATE);
        is("BPF_MAP_UPDATE_ELEM", Bpf.MAP_UPDATE_ELEM);
        is("BPF_MAP_DELETE_ELEM", Bpf.MAP_DELETE_ELEM);
        is("BPF_PROG_LOAD", Bpf.PROG_LOAD);
        is("BPF_PROG_GET_FD_BY_ID", Bpf.PROG_GET_FD_BY_ID);
        is("BPF_OBJ_GET_INFO_BY_FD", Bpf.OBJ_GET_INFO_BY_FD);
        is("BPF_LINK_CREATE", Bpf.LINK_CREATE);
        is("offsetof(union bpf_attr, map_type)", Bpf.MAP_TYPE);
        is("offsetof(union bpf_attr, key_size)", Bpf.MAP_KEY_SIZE);
        is("offsetof(union bpf_attr, value_size)", Bpf.MAP_VALUE_SIZE);
        is("offsetof(union bpf_attr, max_entries)", Bpf.MAP_MAX_ENTRIES);
        is("offsetof(union bpf_attr, map_flags)", Bpf.MAP_FLAGS);
        is("offsetof(union bpf_attr, map_name)", Bpf.MAP_NAME);
        is("BPF_OBJ_NAME_LEN", Bpf.NAME_SIZE);
        is("BPF_MAP_TYPE_HASH", Bpf.MAP_TYPE_HASH);
        is("BPF_MAP_TYPE_XSKMAP", Bpf.MAP_TYPE_XSKMAP);
        is("BPF_F_NO_PREALLOC", Bpf.F_NO_PREALLOC);
        is("offsetof(union bpf_attr, map_fd)", Bpf.ELEM_MAP);
        is("offsetof(union bpf_attr, key)", Bpf.ELEM_KEY);
        is("offsetof(union bpf_attr, value)", Bpf.ELEM_VALUE);
        is("offsetof(union bpf_attr, prog_type)", Bpf.PROG_TYPE);
        is("offsetof(union bpf_attr, insn_cnt)", Bpf.PROG_LENGTH);
        is("offsetof(union bpf_attr, insns)", Bpf.PROG_INSTRUCTIONS);
        is("offsetof(union bpf_attr, license)", Bpf.PROG_LICENSE);
        is("offsetof(union bpf_attr, log_level)", Bpf.PROG_LOG_LEVEL);
        is("offsetof(union bpf_attr, log_size)", Bpf.PROG_LOG_SIZE);
        is("offsetof(union bpf_attr, log_buf)", Bpf.PROG_LOG);
        is("offsetof(union bpf_attr, prog_name)", Bpf.PROG_NAME);
        is("offsetof(union bpf_attr, expected_attach_type)", Bpf.PROG_ATTACH_TYPE);
        is("BPF_PROG_TYPE_XDP", Bpf.PROG_TYPE_XDP);
        is("BPF_XDP", Bpf.ATTACH_XDP);
        is("offsetof(union bpf_attr, link_create.prog_fd)", Bpf.LINK_PROGRAM);
        is("offsetof(union bpf_attr, link_create.target_ifindex)", Bpf.LINK_INTERFACE);
        is("offsetof(union bpf_attr, link_create.attach_type)", Bpf.LINK_ATTACH_TYPE);
        is("offsetof(union bpf_attr, link_create.flags)", Bpf.LINK_FLAGS);
        is("offsetof(union bpf_attr, prog_id)", Bpf.ID);
        is("offsetof(union bpf_attr, info.bpf_fd)", Bpf.INFO_DESCRIPTOR);
        is("offsetof(union bpf_attr, info.info_len)", Bpf.INFO_LENGTH);
        is("offsetof(union bpf_attr, info.info)", Bpf.INFO_ADDRESS);
        is("offsetof(struct bpf_prog_info, name)", Bpf.PROG_INFO_NAME);
        is("sizeof(struct bpf_insn)", Bpf.INSTRUCTION_SIZE);
        is("offsetof(struct bpf_insn, code)", Bpf.CODE);
        is("offsetof(struct bpf_insn, code) + 1", Bpf.REGISTERS);
        is("offsetof(struct bpf_insn, off)", Bpf.OFFSET);
        is("offsetof(struct bpf_insn, imm)", Bpf.IMMEDIATE);
        is("BPF_PSEUDO_MAP_FD", Bpf.PSEUDO_MAP_FD);
        is("BPF_LD | BPF_DW | BPF_IMM", Bpf.LOAD_64);
        is("BPF_LDX | BPF_MEM | BPF_B", Bpf.LOAD_BYTE);
        is("BPF_LDX | BPF_MEM | BPF_H", Bpf.LOAD_SHORT);
        is("BPF_LDX | BPF_MEM | BPF_W", Bpf.LOAD_INT);
        is("BPF_STX | BPF_MEM | BPF_W", Bpf.STORE_INT);
        is("BPF_ST | BPF_MEM | BPF_W", Bpf.STORE_INT_IMMEDIATE);
        is("BPF_ALU64 | BPF_MOV | BPF_X", Bpf.MOVE);
        is("BPF_ALU64 | BPF_MOV | BPF_K", Bpf.MOVE_IMMEDIATE);
        is("BPF_ALU64 | BPF_ADD | BPF_K", Bpf.ADD_IMMEDIATE);
        is("BPF_ALU64 | BPF_SUB | BPF_X", Bpf.SUBTRACT);
        is("BPF_ALU64 | BPF_AND | BPF_K", Bpf.AND_IMMEDIATE);
        is("BPF_JMP | BPF_JA", Bpf.JUMP);
        is("BPF_JMP | BPF_JNE | BPF_K", Bpf.JUMP_IF_NOT_EQUAL_IMMEDIATE);
        is("BPF_JMP32 | BPF_JNE | BPF_K", Bpf.JUMP32_IF_NOT_EQUAL_IMMEDIATE);
        is("BPF_JMP | BPF_JNE | BPF_X", Bpf.JUMP_IF_NOT_EQUAL);
        is("BPF_JMP | BPF_JGT | BPF_X", Bpf.JUMP_IF_GREATER);
        is("BPF_JMP | BPF_JGT | BPF_K", Bpf.JUMP_IF_GREATER_IMMEDIATE);
        is("BPF_JMP | BPF_CALL", Bpf.CALL);
        is("BPF_JMP | BPF_EXIT", Bpf.EXIT);
        is("BPF_FUNC_map_lookup_elem", Bpf.MAP_LOOKUP_ELEM);
        is("BPF_FUNC_redirect_map", Bpf.REDIRECT_MAP);
        is("AF_NETLINK", Netlink.AF_NETLINK);
        is("NETLINK_ROUTE", Netlink.NETLINK_ROUTE);
        is("NETLINK_GET_STRICT_CHK", Netlink.GET_STRICT_CHK);
        is("sizeof(struct sockaddr_nl)", Netlink.ADDRESS_SIZE);
        is("offsetof(struct sockaddr_nl, nl_groups)", Netlink.ADDRESS_GROUPS);
        is("RTMGRP_LINK", Netlink.GROUP_LINK);
        is("RTMGRP_NEIGH", Netlink.GROUP_NEIGHBOUR);
        is("RTMGRP_IPV4_IFADDR", Netlink.GROUP_IPV4_ADDRESS);
        is("RTMGRP_IPV4_ROUTE", Netlink.GROUP_IPV4_ROUTE);
        is("RTMGRP_IPV6_IFADDR", Netlink.GROUP_IPV6_ADDRESS);
        is("RTMGRP_IPV6_ROUTE", Netlink.GROUP_IPV6_ROUTE);
        is("sizeof(struct nlmsghdr)", Netlink.HEADER_SIZE);
        is("offsetof(struct nlmsghdr, nlmsg_len)", Netlink.LENGTH);
        is("offsetof(struct nlmsghdr, nlmsg_type)", Netlink.TYPE);
        is("offsetof(struct nlmsghdr, nlmsg_flags)", Netlink.FLAGS);
        is("offsetof(struct nlmsghdr, nlmsg_seq)", Netlink.SEQUENCE);
        is("NLMSG_ERROR", Netlink.ERROR);
        is("NLMSG_DONE", Netlink.DONE);
        is("NLM_F_REQUEST", Netlink.F_REQUEST);
        is("NLM_F_ACK", Netlink.F_ACK);
        is("NLM_F_DUMP_INTR", Netlink.F_DUMP_INTERRUPTED);
        is("NLM_F_DUMP", Netlink.F_DUMP);
        is("RTM_NEWLINK", Netlink.NEW_LINK);
        is("RTM_DELLINK", Netlink.DELETE_LINK);
        is("RTM_GETLINK", Netlink.GET_LINK);
        is("RTM_SETLINK", Netlink.SET_LINK);
        is("RTM_NEWADDR", Netlink.NEW_ADDRESS);
        is("RTM_DELADDR", Netlink.DELETE_ADDRESS);
        is("RTM_GETADDR", Netlink.GET_ADDRESS);
        is("RTM_NEWROUTE", Netlink.NEW_ROUTE);
        is("RTM_DELROUTE", Netlink.DELETE_ROUTE);
        is("RTM_GETROUTE", Netlink.GET_ROUTE);
        is("RTM_NEWNEIGH", Netlink.NEW_NEIGHBOUR);
        is("RTM_DELNEIGH", Netlink.DELETE_NEIGHBOUR);
        is("RTM_GETNEIGH", Netlink.GET_NEIGHBOUR);
        is("sizeof(struct rtattr)", Netlink.ATTRIBUTE_HEADER);
        is("offsetof(struct rtattr, rta_len)", Netlink.ATTRIBUTE_LENGTH);
        is("offsetof(struct rtattr, rta_type)", Netlink.ATTRIBUTE_TYPE);
        is("NLA_F_NESTED", Netlink.NESTED);
        is("(unsigned short) NLA_TYPE_MASK", Netlink.ATTRIBUTE_TYPE_MASK);
        is("sizeof(struct ifinfomsg)", Netlink.LINK_SIZE);
        is("offsetof(struct ifinfomsg, ifi_type)", Netlink.LINK_HARDWARE);
        is("offsetof(struct ifinfomsg, ifi_index)", Netlink.LINK_INDEX);
        is("offsetof(struct ifinfomsg, ifi_flags)", Netlink.LINK_FLAGS);
        is("ARPHRD_ETHER", Netlink.HARDWARE_ETHERNET);
        is("IFF_UP", Netlink.IFF_UP);
        is("IFLA_ADDRESS", Netlink.IFLA_ADDRESS);
        is("IFLA_IFNAME", Netlink.IFLA_IFNAME);
        is("IFLA_MTU", Netlink.IFLA_MTU);
        is("IFLA_NUM_RX_QUEUES", Netlink.IFLA_NUM_RX_QUEUES);
        is("IFLA_XDP", Netlink.IFLA_XDP);
        is("IFLA_XDP_FD", Netlink.IFLA_XDP_FD);
        is("IFLA_XDP_FLAGS", Netlink.IFLA_XDP_FLAGS);
        is("IFLA_XDP_PROG_ID", Netlink.IFLA_XDP_PROG_ID);
        is("IFLA_XDP_EXPECTED_FD", Netlink.IFLA_XDP_EXPECTED_FD);
        is("sizeof(struct ifaddrmsg)", Netlink.IFADDR_SIZE);
        is("offsetof(struct ifaddrmsg, ifa_family)", Netlink.IFADDR_FAMILY);
        is("offsetof(struct ifaddrmsg, ifa_scope)", Netlink.IFADDR_SCOPE);
        is("IFA_ADDRESS", Netlink.IFA_ADDRESS);
        is("IFA_LOCAL", Netlink.IFA_LOCAL);
        is("RT_SCOPE_LINK", Netlink.SCOPE_LINK);
        is("sizeof(struct rtmsg)", Netlink.ROUTE_SIZE);
        is("offsetof(struct rtmsg, rtm_family)", Netlink.ROUTE_FAMILY);
        is("offsetof(struct rtmsg, rtm_dst_len)", Netlink.ROUTE_TARGET_LENGTH);
        is("offsetof(struct rtmsg, rtm_src_len)", Netlink.ROUTE_SOURCE_LENGTH);
        is("offsetof(struct rtmsg, rtm_type)", Netlink.ROUTE_TYPE);
        is("RTN_UNICAST", Netlink.TYPE_UNICAST);
        is("RTA_DST", Netlink.RTA_DST);
        is("RTA_SRC", Netlink.RTA_SRC);
        is("RTA_OIF", Netlink.RTA_OIF);
        is("RTA_GATEWAY", Netlink.RTA_GATEWAY);
        is("RTA_PREFSRC", Netlink.RTA_PREFSRC);
        is("RTA_METRICS", Netlink.RTA_METRICS);
        is("RTA_VIA", Netlink.RTA_VIA);
        is("RTA_ENCAP", Netlink.RTA_ENCAP);
        is("RTAX_MTU", Netlink.RTAX_MTU);
        is("RTAX_HOPLIMIT", Netlink.RTAX_HOPLIMIT);
        is("sizeof(struct ndmsg)", Netlink.NEIGHBOUR_SIZE);
        is("offsetof(struct ndmsg, ndm_family)", Netlink.NEIGHBOUR_FAMILY);
        is("offsetof(struct ndmsg, ndm_ifindex)", Netlink.NEIGHBOUR_INTERFACE);
        is("offsetof(struct ndmsg, ndm_state)", Netlink.NEIGHBOUR_STATE);
        is("NDA_DST", Netlink.NDA_DST);
        is("NDA_LLADDR", Netlink.NDA_LLADDR);
        is("NUD_REACHABLE", Netlink.STATE_REACHABLE);
        is("NUD_STALE", Netlink.STATE_STALE);
        is("NUD_DELAY", Netlink.STATE_DELAY);
        is("NUD_PROBE", Netlink.STATE_PROBE);
        is("NUD_NOARP", Netlink.STATE_NOARP);
        is("NUD_PERMANENT", Netlink.STATE_PERMANENT);
        is("AF_XDP", Xdp.AF_XDP);
        is("SOL_XDP", Xdp.SOL_XDP);
        is("ENOENT", Errno.ENOENT);
        is("ENXIO", Errno.ENXIO);
        is("EBUSY", Errno.EBUSY);
        is("EEXIST", Errno.EEXIST);
        is("ENODEV", Errno.ENODEV);
        is("SO_BUSY_POLL", Socket.SO_BUSY_POLL);
        is("SO_PREFER_BUSY_POLL", Socket.SO_PREFER_BUSY_POLL);
        is("SO_BUSY_POLL_BUDGET", Socket.SO_BUSY_POLL_BUDGET);
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
                #include <net/if.h>
                #include <net/if_arp.h>
                #include <linux/bpf.h>
                #include <linux/errqueue.h>
                #include <linux/filter.h>
                #include <linux/if_addr.h>
                #include <linux/if_link.h>
                #include <linux/if_xdp.h>
                #include <linux/neighbour.h>
                #include <linux/rtnetlink.h>
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
