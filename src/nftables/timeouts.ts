/**
 * How long connection tracking keeps a connection in each state, in seconds: the data of `ct timeout` objects, by
 * transport protocol. Source: linux/netfilter/nfnetlink_cttimeout.h, nft(8) "CT TIMEOUT".
 */
import { be32 } from '../netlink/codecs.ts'
import { attributes } from '../netlink/table.ts'
import * as c from './constants.ts'

export const timeoutTables = {
  'tcp': attributes({
    syn_sent: [c.CTA_TIMEOUT_TCP_SYN_SENT, be32],
    syn_recv: [c.CTA_TIMEOUT_TCP_SYN_RECV, be32],
    established: [c.CTA_TIMEOUT_TCP_ESTABLISHED, be32],
    fin_wait: [c.CTA_TIMEOUT_TCP_FIN_WAIT, be32],
    close_wait: [c.CTA_TIMEOUT_TCP_CLOSE_WAIT, be32],
    last_ack: [c.CTA_TIMEOUT_TCP_LAST_ACK, be32],
    time_wait: [c.CTA_TIMEOUT_TCP_TIME_WAIT, be32],
    close: [c.CTA_TIMEOUT_TCP_CLOSE, be32],
    syn_sent2: [c.CTA_TIMEOUT_TCP_SYN_SENT2, be32],
    retrans: [c.CTA_TIMEOUT_TCP_RETRANS, be32],
    unack: [c.CTA_TIMEOUT_TCP_UNACK, be32],
  }),
  'udp': attributes({ unreplied: [c.CTA_TIMEOUT_UDP_UNREPLIED, be32], replied: [c.CTA_TIMEOUT_UDP_REPLIED, be32] }),
  'udplite': attributes({ unreplied: [c.CTA_TIMEOUT_UDPLITE_UNREPLIED, be32], replied: [c.CTA_TIMEOUT_UDPLITE_REPLIED, be32] }),
  'gre': attributes({ unreplied: [c.CTA_TIMEOUT_GRE_UNREPLIED, be32], replied: [c.CTA_TIMEOUT_GRE_REPLIED, be32] }),
  'icmp': attributes({ timeout: [c.CTA_TIMEOUT_ICMP_TIMEOUT, be32] }),
  'ipv6-icmp': attributes({ timeout: [c.CTA_TIMEOUT_ICMPV6_TIMEOUT, be32] }),
  'sctp': attributes({
    closed: [c.CTA_TIMEOUT_SCTP_CLOSED, be32],
    cookie_wait: [c.CTA_TIMEOUT_SCTP_COOKIE_WAIT, be32],
    cookie_echoed: [c.CTA_TIMEOUT_SCTP_COOKIE_ECHOED, be32],
    established: [c.CTA_TIMEOUT_SCTP_ESTABLISHED, be32],
    shutdown_sent: [c.CTA_TIMEOUT_SCTP_SHUTDOWN_SENT, be32],
    shutdown_recd: [c.CTA_TIMEOUT_SCTP_SHUTDOWN_RECD, be32],
    shutdown_ack_sent: [c.CTA_TIMEOUT_SCTP_SHUTDOWN_ACK_SENT, be32],
    heartbeat_sent: [c.CTA_TIMEOUT_SCTP_HEARTBEAT_SENT, be32],
    heartbeat_acked: [c.CTA_TIMEOUT_SCTP_HEARTBEAT_ACKED, be32],
  }),
  'dccp': attributes({
    request: [c.CTA_TIMEOUT_DCCP_REQUEST, be32],
    respond: [c.CTA_TIMEOUT_DCCP_RESPOND, be32],
    partopen: [c.CTA_TIMEOUT_DCCP_PARTOPEN, be32],
    open: [c.CTA_TIMEOUT_DCCP_OPEN, be32],
    closereq: [c.CTA_TIMEOUT_DCCP_CLOSEREQ, be32],
    closing: [c.CTA_TIMEOUT_DCCP_CLOSING, be32],
    timewait: [c.CTA_TIMEOUT_DCCP_TIMEWAIT, be32],
  }),
} as const
