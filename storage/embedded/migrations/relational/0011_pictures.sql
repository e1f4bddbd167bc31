-- A picture is an address elsewhere, or the name of one that we store; no address has that form.
ALTER TABLE users RENAME COLUMN avatar_url TO avatar;
ALTER TABLE guilds RENAME COLUMN icon_url TO icon;
