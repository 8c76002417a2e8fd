-- For docker-compose.yml: the role that the service serves by. `migrate` gives it its rights. It may be run again.
\set word `cat /run/secrets/service_password`
SELECT 'CREATE ROLE afterword_service LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'afterword_service')
\gexec
ALTER ROLE afterword_service PASSWORD :'word';
