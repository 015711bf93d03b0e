/** The text with users and passwords taken out of the addresses in it: `https://me:pw@host/` is `https://host/`. */
export const hideLogin = (text: string): string => text.replace(/([a-z][a-z0-9+.-]*:\/\/)[^\s/?#]*@/gi, '$1')
