// What a name may look like that an operator gives to a section. It appears in logs, tables and file names, so it is kept plain.

export const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
export const NAME_RULE = "letters, digits, '.', '_' and '-', at most 63, the first a letter or digit";
