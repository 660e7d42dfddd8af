/** Matches that are rarely seen, with every option: table, chain, options. */

export const matchCorpus = {
  ip: [
    String.raw`filter INPUT -p sctp -m sctp --chunk-types any DATA,INIT`,
    String.raw`filter INPUT -p sctp -m sctp ! --chunk-types all DATA:Be,ABORT:T,shutdown_complete:t --sport 5`,
    String.raw`filter INPUT -p sctp --chunk-types only ALL`,
    String.raw`filter INPUT -p sctp -m sctp --chunk-types any NONE ! --dport 5:9`,
    String.raw`filter INPUT -p sctp -m sctp --chunk-types any I_DATA,RE_CONFIG,PAD,ASCONF,ASCONF_ACK,FORWARD_TSN,I_FORWARD_TSN`,
    String.raw`filter INPUT -p sctp -m sctp --chunk-types all INIT_ACK,SACK,HEARTBEAT,HEARTBEAT_ACK,SHUTDOWN,SHUTDOWN_ACK,ERROR,COOKIE_ECHO,COOKIE_ACK,ECN_ECNE,ECN_CWR`,
    String.raw`filter INPUT -p sctp -m sctp --chunk-types all DATA:iUbE,data:b`,
  ],
  ip6: [],
} as const
